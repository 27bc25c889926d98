using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Tracks who set which field, as the API server does for every create, update and patch.</summary>
public static class ManagedFields
{
    /// <summary>Above this many updaters, the oldest are folded into one entry.</summary>
    internal const int MaxUpdateManagers = 10;

    private static readonly FieldSet Stripped = MakeSet(
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion");

    /// <summary>What the server writes itself: no manager owns it and no apply removes it.</summary>
    internal static FieldSet ServerOwned { get; } = Stripped.Union(MakeSet("generateName", "deletionTimestamp", "deletionGracePeriodSeconds"));

    /// <summary>
    /// Recomputes <c>metadata.managedFields</c> of <paramref name="new"/> in place: this manager gains what the change set, every other
    /// loses what was changed or removed. Give the object as it will be stored (after the subresource's rules dropped what it may not change).
    /// </summary>
    /// <param name="old">The stored object; null for a create.</param>
    /// <param name="subresource"><c>status</c>, <c>scale</c> or null.</param>
    /// <param name="now">Recorded when the manager gained a field; a server records none for <c>scale</c>.</param>
    public static void Update(
        JsonObject? old, JsonObject @new, TypeSchema type, string manager, string operation, string apiVersion, string? subresource, DateTimeOffset now)
    {
        var entries = Starting(old, @new, subresource);
        var comparison = TypedWalk.Compare(old, @new, type);
        var changed = comparison.Modified.Union(comparison.Added);
        entries = TakeAway(entries, changed.Union(comparison.Removed), _ => true);

        var gained = changed.Difference(Stripped);
        if (!gained.IsEmpty)
        {
            var time = subresource == "scale" ? null : ManagedEntry.Format(now);
            var mine = new ManagedEntry(manager, operation, apiVersion, subresource, time, gained);
            var at = entries.FindIndex(e => e.IsSameAs(mine));
            if (at >= 0) entries[at] = mine with { Fields = gained.Union(entries[at].Fields) };
            else entries.Add(mine);
        }

        ManagedEntry.WriteAll(@new, Capped(entries));
    }

    /// <summary>The object without <c>managedFields</c> times, to see whether a write changes anything.</summary>
    public static bool SameIgnoringTimes(JsonObject left, JsonObject right) =>
        JsonNode.DeepEquals(WithoutTimes(left), WithoutTimes(right));

    internal static List<ManagedEntry> TakeAway(List<ManagedEntry> entries, FieldSet lost, Func<ManagedEntry, bool> from) =>
        entries.Select(e => from(e) ? e with { Fields = e.Fields.Difference(lost) } : e).Where(e => !e.Fields.IsEmpty).ToList();

    internal static FieldSet Strip(FieldSet set) => set.Difference(Stripped);

    // A client may send managedFields back, or reset them with one empty entry; a subresource never changes them directly.
    private static List<ManagedEntry> Starting(JsonObject? old, JsonObject @new, string? subresource)
    {
        if (subresource is not null || (@new["metadata"] as JsonObject)?["managedFields"] is not JsonArray { Count: > 0 } sent) return ManagedEntry.ReadAll(old);
        if (sent is [JsonObject { Count: 0 }]) return [];
        var read = ManagedEntry.ReadAll(@new);
        return read.Count > 0 ? read : ManagedEntry.ReadAll(old);
    }

    private static List<ManagedEntry> Capped(List<ManagedEntry> entries)
    {
        var updaters = entries.Where(e => e is { Operation: "Update", Subresource: null }).OrderBy(e => e.Time ?? "", StringComparer.Ordinal).ToList();
        var excess = updaters.Count - MaxUpdateManagers;
        if (excess <= 0) return entries;
        var folded = updaters.Take(excess + 1).ToList();
        var ancient = folded[^1] with { Manager = "ancient-changes", Fields = folded.Select(e => e.Fields).Aggregate((a, b) => a.Union(b)) };
        return [.. entries.Except(folded), ancient];
    }

    private static JsonObject WithoutTimes(JsonObject obj)
    {
        var copy = (JsonObject)obj.DeepClone();
        foreach (var entry in (copy["metadata"] as JsonObject)?["managedFields"] as JsonArray ?? []) (entry as JsonObject)?.Remove("time");
        return copy;
    }

    private static FieldSet MakeSet(params string[] metadata)
    {
        var set = new FieldSet();
        foreach (var name in new[] { "apiVersion", "kind", "metadata" }) set.Insert([PathElement.Field(name)]);
        foreach (var name in metadata) set.Insert([PathElement.Field("metadata"), PathElement.Field(name)]);
        return set;
    }
}
