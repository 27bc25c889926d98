namespace Trestle.Api.Manifests;

/// <summary>The name someone probably meant.</summary>
internal static class NearestName
{
    private const int Longest = 64;

    /// <summary>"; did you mean 'x'?", or which names there are when none is near.</summary>
    public static string Hint(string written, IReadOnlyCollection<string> known)
    {
        var near = known.Select(name => (Name: name, Distance: Distance(written, name))).OrderBy(name => name.Distance).FirstOrDefault();
        if (near.Name is not null && near.Distance <= Math.Max(1, Math.Min(written.Length, near.Name.Length) / 2))
        {
            return $"; did you mean '{near.Name}'?";
        }

        return known.Count is 0 or > 12 ? "; remove it" : $"; it takes {string.Join(", ", known)}";
    }

    // Steps of inserting, deleting, replacing or swapping letters; case and word separators don't count.
    private static int Distance(string left, string right)
    {
        (left, right) = (Folded(left), Folded(right));
        if (left.Length > Longest)
        {
            return int.MaxValue;
        }

        var rows = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                rows[i, j] = i == 0 || j == 0 ? i + j : Step(rows, left, right, i, j);
            }
        }

        return rows[left.Length, right.Length];
    }

    private static int Step(int[,] rows, string left, string right, int i, int j)
    {
        var best = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1));
        var swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
        return swapped ? Math.Min(best, rows[i - 2, j - 2] + 1) : best;
    }

    private static string Folded(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();
}
