using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>A set of field paths as a trie, after sigs.k8s.io/structured-merge-diff <c>fieldpath.Set</c>. Immutable once built.</summary>
internal sealed class FieldSet
{
    private readonly SortedDictionary<PathElement, Entry> entries = new(PathElement.Order);

    public bool IsEmpty => entries.Count == 0;

    public void Insert(IReadOnlyList<PathElement> path)
    {
        if (path.Count == 0) return;
        var set = this;
        for (var i = 0; i < path.Count; i++)
        {
            var entry = set.entries.GetValueOrDefault(path[i]) ?? new Entry(false, null);
            if (i == path.Count - 1)
            {
                set.entries[path[i]] = entry with { Member = true };
                return;
            }

            if (entry.Children is null) set.entries[path[i]] = entry = entry with { Children = new FieldSet() };
            set = entry.Children!;
        }
    }

    public bool Has(PathElement element) => entries.TryGetValue(element, out var entry) && entry.Member;

    public FieldSet? Under(PathElement element) => entries.GetValueOrDefault(element)?.Children;

    public FieldSet Union(FieldSet other)
    {
        var result = new FieldSet();
        foreach (var (element, entry) in entries)
        {
            var theirs = other.entries.GetValueOrDefault(element);
            result.Put(element, entry.Member || theirs is { Member: true },
                entry.Children is null ? theirs?.Children : theirs?.Children is null ? entry.Children : entry.Children.Union(theirs.Children));
        }

        foreach (var (element, entry) in other.entries)
            if (!entries.ContainsKey(element)) result.Put(element, entry.Member, entry.Children);
        return result;
    }

    public FieldSet Intersection(FieldSet other)
    {
        var result = new FieldSet();
        foreach (var (element, entry) in entries)
        {
            if (!other.entries.TryGetValue(element, out var theirs)) continue;
            result.Put(element, entry.Member && theirs.Member,
                entry.Children is null || theirs.Children is null ? null : entry.Children.Intersection(theirs.Children));
        }

        return result;
    }

    /// <summary>The paths of this set that the other does not hold. Only exact paths are taken away, not what lies under them.</summary>
    public FieldSet Difference(FieldSet other)
    {
        var result = new FieldSet();
        foreach (var (element, entry) in entries)
        {
            var theirs = other.entries.GetValueOrDefault(element);
            result.Put(element, entry.Member && theirs is not { Member: true },
                entry.Children is null || theirs?.Children is null ? entry.Children : entry.Children.Difference(theirs.Children));
        }

        return result;
    }

    /// <summary>Adds the parents that are declared fields: owning <c>spec.nodes</c> keeps <c>spec</c> alive.</summary>
    public FieldSet WithNamedFields(TypeSchema? type)
    {
        var result = new FieldSet();
        foreach (var (element, entry) in entries)
        {
            var named = element.Kind == PathKind.Field && type is not null && type.Fields.ContainsKey(element.Text);
            result.Put(element, entry.Member || (named && entry.Children is not null), entry.Children?.WithNamedFields(ChildType(type, element)));
        }

        return result;
    }

    /// <summary>Every member path, sorted.</summary>
    public IEnumerable<IReadOnlyList<PathElement>> Paths()
    {
        foreach (var (element, entry) in entries)
        {
            if (entry.Member) yield return [element];
            if (entry.Children is null) continue;
            foreach (var path in entry.Children.Paths()) yield return [element, .. path];
        }
    }

    public bool SameAs(FieldSet other) => Difference(other).IsEmpty && other.Difference(this).IsEmpty;

    public JsonObject ToJson()
    {
        var json = new JsonObject();
        foreach (var (element, entry) in entries)
        {
            var child = entry.Children?.ToJson() ?? [];
            if (entry.Member && child.Count > 0) child.Insert(0, ".", new JsonObject());
            json[element.Encoded] = child;
        }

        return json;
    }

    /// <summary>Reads FieldsV1; what is not understood is left out.</summary>
    public static FieldSet FromJson(JsonObject json)
    {
        var set = new FieldSet();
        foreach (var (name, value) in json)
        {
            if (PathElement.Decode(name) is not { } element || value is not JsonObject inner) continue;
            set.Put(element, inner.Count == 0 || inner.ContainsKey("."), FromJson(inner));
        }

        return set;
    }

    internal static TypeSchema? ChildType(TypeSchema? type, PathElement element) => type switch
    {
        null => null,
        { Kind: NodeKind.Deduced } => type,
        { Kind: NodeKind.Map } when element.Kind == PathKind.Field => type.Child(element.Text),
        { Kind: NodeKind.List } => type.Element,
        _ => null,
    };

    private void Put(PathElement element, bool member, FieldSet? children)
    {
        if (children is { IsEmpty: true }) children = null;
        if (member || children is not null) entries[element] = new Entry(member, children);
    }

    private sealed record Entry(bool Member, FieldSet? Children);
}
