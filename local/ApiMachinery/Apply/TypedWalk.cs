using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>What changed between two objects, by field path.</summary>
internal sealed record Comparison(FieldSet Added, FieldSet Modified, FieldSet Removed);

/// <summary>
/// The walks of sigs.k8s.io/structured-merge-diff <c>typed</c> over plain JSON: field sets, comparison, merge, removal.
/// The rules for empty values and for which parents are members are its rules; recorded answers depend on them.
/// </summary>
internal static class TypedWalk
{
    private static readonly JsonObject EmptyObject = [];

    /// <summary>The paths an applied object sets.</summary>
    public static FieldSet ToFieldSet(JsonObject obj, TypeSchema type)
    {
        var set = new FieldSet();
        Collect(obj, type, [], set);
        return set;
    }

    private static void Collect(JsonNode? value, TypeSchema type, List<PathElement> path, FieldSet set)
    {
        type = Resolve(type, value);
        switch (type.Kind)
        {
            case NodeKind.Map when type.IsAtomic:
            case NodeKind.List when type.List == ListKind.Atomic:
            case NodeKind.Scalar:
                set.Insert(path);
                return;
            case NodeKind.Map:
                foreach (var (name, child) in value as JsonObject ?? EmptyObject)
                {
                    path.Add(PathElement.Field(name));
                    Collect(child, type.Child(name) ?? TypeSchema.Deduced, path, set);
                    if (child is null or JsonObject { Count: 0 } || !type.Fields.ContainsKey(name)) set.Insert(path);
                    path.RemoveAt(path.Count - 1);
                }

                return;
            default:
                CollectItems(value as JsonArray ?? [], type, path, set);
                return;
        }
    }

    private static void CollectItems(JsonArray list, TypeSchema type, List<PathElement> path, FieldSet set)
    {
        if (list.Count == 0) set.Insert(path);
        foreach (var (element, items) in Index(list, type))
        {
            path.Add(element);
            if (items.Count == 1) Collect(items[0], type.Element ?? TypeSchema.Deduced, path, set);
            set.Insert(path);
            path.RemoveAt(path.Count - 1);
        }
    }

    public static Comparison Compare(JsonObject? old, JsonObject @new, TypeSchema type)
    {
        var result = new Comparison(new FieldSet(), new FieldSet(), new FieldSet());
        Compare(new Slot(old ?? []), new Slot(@new), type, [], result);
        return result;
    }

    private static void Compare(Slot left, Slot right, TypeSchema type, List<PathElement> path, Comparison result)
    {
        // Null takes the other side's shape; values of two shapes are one removal and one addition.
        var leftType = Resolve(type, left.Node ?? right.Node);
        type = Resolve(type, right.Node ?? left.Node);
        if (left.Present && right.Present && leftType.Kind != type.Kind)
        {
            Compare(left, default, leftType, path, result);
            Compare(default, right, type, path, result);
            return;
        }

        var leaf = type.Kind switch
        {
            NodeKind.Map => type.IsAtomic || (IsEmpty(left) && IsEmpty(right) && type.AlwaysPresent.Count == 0),
            NodeKind.List => type.List == ListKind.Atomic || (IsEmpty(left) && IsEmpty(right)),
            _ => true,
        };
        if (leaf && left.Present && right.Present)
        {
            if (!JsonNode.DeepEquals(left.Node, right.Node)) result.Modified.Insert(path);
            return;
        }

        if (!left.Present) result.Added.Insert(path);
        else if (!right.Present) result.Removed.Insert(path);
        if (leaf) return;
        if (type.Kind == NodeKind.Map) CompareFields(left, right, type, path, result);
        else CompareItems(left.Node as JsonArray ?? [], right.Node as JsonArray ?? [], type, path, result);
    }

    private static void CompareFields(Slot left, Slot right, TypeSchema type, List<PathElement> path, Comparison result)
    {
        var (from, to) = (left.Node as JsonObject ?? EmptyObject, right.Node as JsonObject ?? EmptyObject);
        foreach (var name in from.Select(p => p.Key).Union(to.Select(p => p.Key), StringComparer.Ordinal))
        {
            var child = type.Child(name) ?? TypeSchema.Deduced;
            var implied = type.AlwaysPresent.Contains(name);
            path.Add(PathElement.Field(name));
            Compare(Slot.Of(from, name, implied, child), Slot.Of(to, name, implied, child), child, path, result);
            path.RemoveAt(path.Count - 1);
        }
    }

    private static void CompareItems(JsonArray left, JsonArray right, TypeSchema type, List<PathElement> path, Comparison result)
    {
        var (from, to) = (Index(left, type), Index(right, type));
        foreach (var element in from.Keys.Union(to.Keys))
        {
            var (before, after) = (from.GetValueOrDefault(element), to.GetValueOrDefault(element));
            path.Add(element);
            if ((before?.Count ?? 0) <= 1 && (after?.Count ?? 0) <= 1)
            {
                Compare(before is null ? default : new Slot(before[0]), after is null ? default : new Slot(after[0]),
                    type.Element ?? TypeSchema.Deduced, path, result);
            }
            else if (before is null) result.Added.Insert(path);
            else if (after is null) result.Removed.Insert(path);
            else if (before.Count != after.Count || !before.Zip(after).All(p => JsonNode.DeepEquals(p.First, p.Second))) result.Modified.Insert(path);
            path.RemoveAt(path.Count - 1);
        }
    }

    /// <summary>Live with the applied values laid over it. Returns new nodes.</summary>
    public static JsonNode? Merge(JsonNode? live, JsonNode? applied, TypeSchema type)
    {
        type = Resolve(type, applied);
        switch (type.Kind)
        {
            case NodeKind.Map when !type.IsAtomic && live is JsonObject target && applied is JsonObject changes:
                var merged = new JsonObject();
                foreach (var (name, value) in target)
                {
                    merged[name] = changes.TryGetPropertyValue(name, out var theirs)
                        ? Merge(value, theirs, type.Child(name) ?? TypeSchema.Deduced)
                        : value?.DeepClone();
                }

                foreach (var (name, value) in changes)
                    if (!target.ContainsKey(name)) merged[name] = value?.DeepClone();
                return merged;
            case NodeKind.List when type.List != ListKind.Atomic && live is JsonArray before && applied is JsonArray after:
                return ListMerge.Merge(before, after, type);
            default:
                return applied?.DeepClone();
        }
    }

    /// <summary>The object without the members of a set. Returns new nodes.</summary>
    public static JsonNode? Remove(JsonNode? value, FieldSet set, TypeSchema type)
    {
        type = Resolve(type, value);
        if (type.Kind == NodeKind.Map && value is JsonObject obj)
        {
            var kept = new JsonObject();
            foreach (var (name, child) in obj)
            {
                var element = PathElement.Field(name);
                if (set.Has(element)) continue;
                kept[name] = set.Under(element) is { } under && !type.IsAtomic
                    ? Remove(child, under, type.Child(name) ?? TypeSchema.Deduced)
                    : child?.DeepClone();
            }

            return kept;
        }

        if (type.Kind == NodeKind.List && type.List != ListKind.Atomic && value is JsonArray list)
        {
            var kept = new JsonArray();
            for (var i = 0; i < list.Count; i++)
            {
                var element = PathElement.OfItem(type, list[i], i);
                if (set.Has(element)) continue;
                kept.Add(set.Under(element) is { } under ? Remove(list[i], under, type.Element ?? TypeSchema.Deduced) : list[i]?.DeepClone());
            }

            return kept;
        }

        return value?.DeepClone();
    }

    internal static Dictionary<PathElement, List<JsonNode?>> Index(JsonArray list, TypeSchema type)
    {
        var index = new Dictionary<PathElement, List<JsonNode?>>();
        for (var i = 0; i < list.Count; i++)
        {
            var element = PathElement.OfItem(type, list[i], i);
            if (!index.TryGetValue(element, out var items)) index[element] = items = [];
            items.Add(list[i]);
        }

        return index;
    }

    private static readonly TypeSchema DeducedMap = new() { Kind = NodeKind.Map, Element = TypeSchema.Deduced };
    private static readonly TypeSchema DeducedList = new() { Kind = NodeKind.List, Element = TypeSchema.Deduced, List = ListKind.Atomic };

    // A value of another shape than the schema says is taken as what it is, so that bad input never breaks a walk.
    private static TypeSchema Resolve(TypeSchema type, JsonNode? value) => (type.Kind, value) switch
    {
        (NodeKind.Map, null or JsonObject) or (NodeKind.List, null or JsonArray) => type,
        (NodeKind.Scalar, _) => type,
        (_, JsonObject) => DeducedMap,
        (_, JsonArray) => DeducedList,
        _ => TypeSchema.Scalar,
    };

    private static bool IsEmpty(Slot slot) => slot.Node switch { null => true, JsonObject o => o.Count == 0, JsonArray a => a.Count == 0, _ => false };

    private readonly record struct Slot(bool Present, JsonNode? Node)
    {
        public Slot(JsonNode? node) : this(true, node) { }

        public static Slot Of(JsonObject obj, string name, bool implied, TypeSchema type)
        {
            if (obj.TryGetPropertyValue(name, out var value)) return new Slot(value);
            return implied ? new Slot(type.Kind == NodeKind.Map ? EmptyObject : null) : default;
        }
    }
}
