namespace Trestle.Local.ApiServer.Tests;

/// <summary>The lines two texts differ in, with the line before each; empty when they are the same.</summary>
internal static class LineDiff
{
    public static string Of(string theirs, string ours)
    {
        var a = theirs.Split('\n');
        var b = ours.Split('\n');
        var length = Lengths(a, b);
        var result = new List<string>();
        var (i, j) = (0, 0);
        while (i < a.Length || j < b.Length)
        {
            if (i < a.Length && j < b.Length && a[i] == b[j])
            {
                if (result.Count > 0 && result[^1].StartsWith("  ", StringComparison.Ordinal)) result.RemoveAt(result.Count - 1);
                result.Add("  " + a[i]);
                i++;
                j++;
            }
            else if (j >= b.Length || (i < a.Length && length[i + 1, j] >= length[i, j + 1])) result.Add("- " + a[i++]);
            else result.Add("+ " + b[j++]);
        }

        return result.TrueForAll(l => l.StartsWith("  ", StringComparison.Ordinal)) ? "" : string.Join('\n', result);
    }

    private static int[,] Lengths(string[] a, string[] b)
    {
        var length = new int[a.Length + 1, b.Length + 1];
        for (var i = a.Length - 1; i >= 0; i--)
        {
            for (var j = b.Length - 1; j >= 0; j--) length[i, j] = a[i] == b[j] ? length[i + 1, j + 1] + 1 : Math.Max(length[i + 1, j], length[i, j + 1]);
        }

        return length;
    }
}
