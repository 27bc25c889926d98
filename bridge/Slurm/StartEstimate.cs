using System.Globalization;
using System.Text.RegularExpressions;

namespace Trestle.Bridge.Slurm;

/// <summary>What <c>sbatch --test-only</c> says: when a job would start, or why it never would.</summary>
/// <param name="Start">Estimated start in the login node's own time (%s does not hold here); null when refused.</param>
/// <param name="Nodes">Nodes it would get.</param>
/// <param name="Refusal">Slurm's sentence when it would not take the job.</param>
internal sealed partial record StartEstimate(DateTime? Start, string Nodes, string? Refusal)
{
    /// <summary>Reads what was written to stderr.</summary>
    public static StartEstimate Read(string text)
    {
        var found = Line().Match(text);
        if (found.Success && DateTime.TryParseExact(found.Groups["start"].Value, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var start))
            return new StartEstimate(start, found.Groups["nodes"].Value, null);
        return new StartEstimate(null, "", SbatchFailure.Sentence(text));
    }

    [GeneratedRegex("^sbatch: Job [0-9]+ to start at (?<start>[0-9T:-]+) using [0-9]+ processors on (nodes )?(?<nodes>\\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Line();
}
