using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>JSON Merge Patch, RFC 7386.</summary>
public static class MergePatch
{
    /// <summary>Returns the patched document; neither argument is changed.</summary>
    public static JsonNode? Apply(JsonNode? original, JsonNode? patch)
    {
        if (patch is not JsonObject changes) return patch?.DeepClone();
        var result = original is JsonObject target ? (JsonObject)target.DeepClone() : [];
        Merge(result, changes);
        return result;
    }

    private static void Merge(JsonObject target, JsonObject changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is null) target.Remove(name);
            else if (value is JsonObject inner)
            {
                if (target[name] is not JsonObject child) target[name] = child = [];
                Merge(child, inner);
            }
            else target[name] = value.DeepClone();
        }
    }

    /// <summary>The merge patch that turns <paramref name="from"/> into <paramref name="to"/>. Nulls inside objects cannot be expressed.</summary>
    public static JsonObject Diff(JsonObject from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, _) in from)
            if (!to.ContainsKey(name)) patch[name] = null;
        foreach (var (name, value) in to)
        {
            if (from.TryGetPropertyValue(name, out var before))
            {
                if (JsonNode.DeepEquals(before, value)) continue;
                if (before is JsonObject a && value is JsonObject b)
                {
                    patch[name] = Diff(a, b);
                    continue;
                }
            }

            patch[name] = value?.DeepClone();
        }

        return patch;
    }
}
