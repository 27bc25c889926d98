using System.Globalization;
using System.Text.RegularExpressions;

namespace Trestle.Bridge.Slurm;

/// <summary>What <c>sbatch --test-only</c> says: when a job would start, or why it never would.</summary>
/// <param name="Start">Estimated start; null when refused.</param>
/// <param name="Nodes">Nodes it would get.</param>
/// <param name="Refusal">Slurm's sentence when it would not take the job.</param>
internal sealed partial record StartEstimate(DateTimeOffset? Start, string Nodes, string? Refusal)
{
    private const string Prefix = "allocation failure: ";

    /// <summary>The script that asks, for a job like one that is there. In UTC, as SLURM_TIME_FORMAT does not hold here.</summary>
    public static string Script(IEnumerable<string> options) =>
        $"TZ=UTC sbatch --test-only{string.Concat(options.Select(option => " " + ShellText.Quote(option)))} --wrap=true 2>&1 < /dev/null\n";

    /// <summary>Reads what was written to stderr; null when it says nothing about the job.</summary>
    public static StartEstimate? Read(string text)
    {
        var found = Line().Match(text);
        if (found.Success && DateTime.TryParseExact(found.Groups["start"].Value, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var start))
            return new StartEstimate(new DateTimeOffset(start, TimeSpan.Zero), found.Groups["nodes"].Value, null);
        if (SbatchFailure.FateOf(text) == SubmissionFate.Ambiguous) return null;
        var sentence = SbatchFailure.Sentence(text);
        return new StartEstimate(null, "", sentence.StartsWith(Prefix, StringComparison.Ordinal) ? sentence[Prefix.Length..] : sentence);
    }

    [GeneratedRegex("^sbatch: Job [0-9]+ to start at (?<start>[0-9T:-]+) using [0-9]+ processors on (nodes )?(?<nodes>\\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Line();
}
