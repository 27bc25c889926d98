using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Server-side apply, after sigs.k8s.io/structured-merge-diff <c>merge.Updater.Apply</c>.</summary>
public static class ServerSideApply
{
    /// <summary>
    /// Merges what a manager applies into the live object: new values laid over it, values this manager applied before and no longer does
    /// removed unless another owns them. Applying the same twice changes nothing, times included.
    /// </summary>
    /// <param name="live">The stored object; null creates one.</param>
    /// <param name="ignored">Top-level fields this endpoint may not change: <c>status</c> on the object, <c>spec</c> on its status.</param>
    /// <returns>A new object with <c>metadata.managedFields</c>; the arguments are not changed.</returns>
    /// <exception cref="PatchException">400 when the applied object carries managedFields.</exception>
    /// <exception cref="ConflictException">Another manager owns a changed field and <paramref name="force"/> is false.</exception>
    public static JsonObject Apply(
        JsonObject? live, JsonObject applied, TypeSchema type, string manager, bool force, string apiVersion, string? subresource, DateTimeOffset now,
        IReadOnlyCollection<string>? ignored = null)
    {
        var config = Prepare(applied, ignored, subresource);
        var before = (JsonObject?)live?.DeepClone() ?? [];
        var entries = ManagedEntry.ReadAll(live);
        if (live is not null && entries.Count == 0) AdoptUnmanaged(entries, before, type, apiVersion, now);
        (before["metadata"] as JsonObject)?.Remove("managedFields");

        var mine = new ManagedEntry(manager, "Apply", apiVersion, subresource, null, ManagedFields.Strip(TypedWalk.ToFieldSet(config, type)));
        var last = entries.Find(e => e.IsSameAs(mine));
        var others = entries.Where(e => e != last).ToList();
        var merged = (JsonObject)TypedWalk.Merge(before, config, type)!;
        if (last is not null && !last.Fields.IsEmpty) merged = DropUnapplied(merged, last.Fields, [mine, .. others], type);

        var comparison = TypedWalk.Compare(before, merged, type);
        var changed = ManagedFields.Strip(comparison.Modified.Union(comparison.Added));
        if (!force) RefuseConflicts(others, changed);
        others = ManagedFields.TakeAway(others, changed.Union(comparison.Removed), _ => true);
        var unchanged = last is not null && last.Fields.SameAs(mine.Fields) && changed.IsEmpty && comparison.Removed.IsEmpty;
        ManagedEntry.WriteAll(merged, [mine with { Time = unchanged ? last!.Time : ManagedEntry.Format(now) }, .. others]);
        return merged;
    }

    private static JsonObject Prepare(JsonObject applied, IReadOnlyCollection<string>? ignored, string? subresource)
    {
        if ((applied["metadata"] as JsonObject)?["managedFields"] is not null) throw new PatchException(400, "metadata.managedFields must be nil");
        var config = (JsonObject)applied.DeepClone();
        foreach (var name in ignored ?? []) config.Remove(name);
        if (config["metadata"] is not JsonObject metadata) return config;
        foreach (var name in new[] { "creationTimestamp", "generation", "uid", "resourceVersion", "selfLink", "managedFields" }) metadata.Remove(name);
        if (subresource == "status")
        {
            foreach (var name in metadata.Select(p => p.Key).Where(k => k is not ("name" or "namespace")).ToList()) metadata.Remove(name);
        }

        return config;
    }

    // An object that was never tracked belongs, as it is, to whoever wrote it before the first apply.
    private static void AdoptUnmanaged(List<ManagedEntry> entries, JsonObject live, TypeSchema type, string apiVersion, DateTimeOffset now)
    {
        var all = ManagedFields.Strip(TypedWalk.ToFieldSet(live, type));
        if (!all.IsEmpty) entries.Add(new ManagedEntry("before-first-apply", "Update", apiVersion, null, ManagedEntry.Format(now), all));
    }

    private static JsonObject DropUnapplied(JsonObject merged, FieldSet last, IEnumerable<ManagedEntry> owners, TypeSchema type)
    {
        var mergedSet = TypedWalk.ToFieldSet(merged, type).WithNamedFields(type);
        var dropped = last.WithNamedFields(type);
        var pruned = (JsonObject)TypedWalk.Remove(merged, dropped, type)!;

        // Back come the items someone owns, this manager's new set included.
        var owned = owners.Select(e => e.Fields).Aggregate(ManagedFields.ServerOwned, (a, b) => a.Union(b)).WithNamedFields(type);
        var prunedSet = TypedWalk.ToFieldSet(pruned, type).WithNamedFields(type);
        pruned = (JsonObject)TypedWalk.Remove(merged, mergedSet.Difference(prunedSet.Union(owned)), type)!;

        // And what was lost with a parent although this manager never applied it.
        prunedSet = TypedWalk.ToFieldSet(pruned, type).WithNamedFields(type);
        return (JsonObject)TypedWalk.Remove(merged, mergedSet.Difference(prunedSet).Intersection(dropped), type)!;
    }

    private static void RefuseConflicts(IEnumerable<ManagedEntry> others, FieldSet changed)
    {
        var conflicts = others
            .SelectMany(e => e.Fields.Intersection(changed).Paths().Select(p => new FieldConflict(e.Display, string.Concat(p.Select(s => s.Display)))))
            .ToList();
        if (conflicts.Count > 0) throw new ConflictException(conflicts);
    }
}
