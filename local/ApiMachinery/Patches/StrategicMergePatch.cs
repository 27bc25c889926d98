using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Strategic merge patch of built-in kinds, after k8s.io/apimachinery <c>strategicpatch</c>.</summary>
public static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string DeletePrimitives = "$deleteFromPrimitiveList/";
    private const string SetOrder = "$setElementOrder/";

    /// <summary>Returns the patched object; the arguments are not changed.</summary>
    /// <exception cref="PatchException">400 when a directive is not understood or an item lacks its merge key.</exception>
    public static JsonObject Apply(JsonObject original, JsonObject patch, TypeSchema type)
    {
        var result = (JsonObject)original.DeepClone();
        return MergeObject(result, patch, type) ?? [];
    }

    private static JsonObject? MergeObject(JsonObject target, JsonObject patch, TypeSchema type)
    {
        switch (patch[Directive] is { } directive ? JsonKinds.Text(directive) ?? "?" : null)
        {
            case null or "merge": break;
            case "replace": return WithoutDirectives(patch);
            case "delete": return null;
            case var other: throw Bad($"Unknown patch type found: {other}");
        }

        if (patch[RetainKeys] is JsonArray retain)
        {
            var kept = retain.Select(JsonKinds.Text).ToHashSet(StringComparer.Ordinal);
            foreach (var name in target.Select(p => p.Key).Where(k => !kept.Contains(k)).ToList()) target.Remove(name);
        }

        foreach (var (name, value) in patch)
        {
            if (name is Directive or RetainKeys || name.StartsWith(SetOrder, StringComparison.Ordinal)) continue;
            if (name.StartsWith(DeletePrimitives, StringComparison.Ordinal)) DeleteFrom(target, name[DeletePrimitives.Length..], value);
            else MergeField(target, name, value, type.Child(name) ?? TypeSchema.Deduced);
        }

        foreach (var (name, value) in patch)
        {
            if (name.StartsWith(SetOrder, StringComparison.Ordinal) && value is JsonArray order)
                Reorder(target, name[SetOrder.Length..], order, type.Child(name[SetOrder.Length..])?.PatchMergeKey);
        }

        return target;
    }

    private static void MergeField(JsonObject target, string name, JsonNode? value, TypeSchema type)
    {
        if (value is null) target.Remove(name);
        else if (value is JsonObject child)
        {
            if (MergeObject(target[name] as JsonObject ?? Detached(target, name), child, type) is { } merged) Put(target, name, merged);
            else target.Remove(name);
        }
        else if (value is JsonArray list && type.PatchMergeKey is { } key)
        {
            var before = target[name] as JsonArray ?? [];
            Put(target, name, key.Length == 0 ? MergePrimitives(before, list) : MergeItems(before, list, key, type.Element ?? TypeSchema.Deduced));
        }
        else target[name] = value.DeepClone();
    }

    private static JsonObject Detached(JsonObject target, string name)
    {
        target.Remove(name);
        return [];
    }

    private static void Put(JsonObject target, string name, JsonNode value)
    {
        if (!ReferenceEquals(target[name], value)) target[name] = value;
    }

    private static JsonArray MergeItems(JsonArray before, JsonArray patch, string key, TypeSchema itemType)
    {
        var items = patch.Select(p => p as JsonObject ?? throw Bad($"expected an object with merge key {key} in a list")).ToList();
        if (items.Exists(i => JsonKinds.Text(i[Directive]) == "replace"))
            return new JsonArray([.. items.Where(i => i[Directive] is null).Select(i => (JsonNode)WithoutDirectives(i))]);

        var result = before.Select(i => i?.DeepClone()).ToList();
        foreach (var item in items)
        {
            var id = item[key] ?? throw Bad($"map: {item.ToJsonString(FieldError.Relaxed)} does not contain declared merge key: {key}");
            var index = result.FindIndex(r => r is JsonObject o && JsonNode.DeepEquals(o[key], id));
            switch (item[Directive] is { } directive ? JsonKinds.Text(directive) ?? "?" : null)
            {
                case "delete":
                    result.RemoveAll(r => r is JsonObject o && JsonNode.DeepEquals(o[key], id));
                    break;
                case null or "merge" when index >= 0:
                    result[index] = MergeObject((JsonObject)result[index]!, Without(item, Directive), itemType);
                    break;
                case null or "merge":
                    result.Add(MergeObject([], Without(item, Directive), itemType));
                    break;
                case var other:
                    throw Bad($"Unknown patch type found: {other}");
            }
        }

        return new JsonArray([.. result]);
    }

    private static JsonArray MergePrimitives(JsonArray before, JsonArray patch)
    {
        var result = (JsonArray)before.DeepClone();
        foreach (var item in patch)
            if (!result.Any(r => JsonNode.DeepEquals(r, item))) result.Add(item?.DeepClone());
        return result;
    }

    private static void DeleteFrom(JsonObject target, string name, JsonNode? values)
    {
        if (target[name] is not JsonArray list || values is not JsonArray gone) return;
        for (var i = list.Count - 1; i >= 0; i--)
            if (gone.Any(g => JsonNode.DeepEquals(g, list[i]))) list.RemoveAt(i);
    }

    // Items named in the order come in that order; the others keep their place behind the item they followed.
    private static void Reorder(JsonObject target, string name, JsonArray order, string? key)
    {
        if (target[name] is not JsonArray list || key is null) return;
        var rank = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < order.Count; i++) rank[Identity(order[i], key)] = i;
        var groups = new List<(int Rank, List<JsonNode?> Items)> { (-1, []) };
        foreach (var item in list.Select(i => i?.DeepClone()))
        {
            if (rank.TryGetValue(Identity(item, key), out var place)) groups.Add((place, [item]));
            else groups[^1].Items.Add(item);
        }

        target[name] = new JsonArray([.. groups.OrderBy(g => g.Rank).SelectMany(g => g.Items)]);
    }

    private static string Identity(JsonNode? item, string key) =>
        (key.Length == 0 ? item : (item as JsonObject)?[key])?.ToJsonString() ?? "null";

    private static JsonObject Without(JsonObject obj, string name)
    {
        var copy = (JsonObject)obj.DeepClone();
        copy.Remove(name);
        return copy;
    }

    private static JsonObject WithoutDirectives(JsonObject obj) => Without(obj, Directive);

    private static PatchException Bad(string message) => new(400, message);
}
