namespace Trestle.Local.ApiMachinery;

/// <summary>One field another manager owns with another value. <paramref name="Manager"/> is worded as the server words it, quotes included.</summary>
public sealed record FieldConflict(string Manager, string Field)
{
    /// <summary>The message of the status cause; its reason is <c>FieldManagerConflict</c>.</summary>
    public string Message => "conflict with " + Manager;
}

/// <summary>An apply that would take fields of others; answer 409 with this message and a cause for every conflict.</summary>
public sealed class ConflictException(IReadOnlyList<FieldConflict> conflicts) : Exception(Describe(conflicts))
{
    /// <summary>At least one.</summary>
    public IReadOnlyList<FieldConflict> Conflicts { get; } = conflicts;

    private static string Describe(IReadOnlyList<FieldConflict> conflicts)
    {
        if (conflicts is [var only]) return $"Apply failed with 1 conflict: conflict with {only.Manager}: {only.Field}";
        var lines = conflicts.GroupBy(c => c.Manager, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .SelectMany(g => g.Select(c => "- " + c.Field).Prepend($"conflicts with {g.Key}:"));
        return $"Apply failed with {conflicts.Count} conflicts: {string.Join('\n', lines)}";
    }
}
