using System.Text.RegularExpressions;
using Trestle.Api.Manifests.SkyPilot;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests;

/// <summary>Text of any format that can be launched → objects. Never throws for what the text holds.</summary>
public static partial class ManifestReader
{
    /// <summary>Reads one file: Trestle YAML when it has apiVersion or kind, else SkyPilot YAML.</summary>
    /// <param name="text">The whole file.</param>
    /// <param name="source">Name of the file, for sentences.</param>
    /// <param name="given">Variables and secrets that come from elsewhere, so that the file may leave them without a value.</param>
    public static ManifestResult Read(string text, string source, IReadOnlyCollection<string>? given = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        var notes = new Notes(source);
        try
        {
            return Documents(text, notes) switch
            {
                [] => new ManifestResult { Errors = notes.Errors },
                var documents when documents.Any(IsObject) => ObjectDocuments.Read(documents, notes),
                var documents => new SkyFile(notes, given ?? []).Read(documents),
            };
        }
        catch (YamlProblemException problem)
        {
            notes.Error(problem.Line, problem.Message);
            return new ManifestResult { Errors = notes.Errors };
        }
    }

    // Empty after an error.
    private static IReadOnlyList<YamlMap> Documents(string text, Notes notes)
    {
        if (Batch().Match(text) is { Success: true } batch)
        {
            notes.Error(Line(text, batch.Index), "sbatch scripts come with the Slurm bridge; until then write the job as YAML, or run the script with: trestle launch -- sh SCRIPT");
            return [];
        }

        if (text.StartsWith("#!", StringComparison.Ordinal))
        {
            notes.Error(1, "this is a script and not a manifest; run it with: trestle launch -- sh SCRIPT");
            return [];
        }

        var documents = YamlDocuments.Read(text);
        foreach (var other in documents.Where(document => document is not YamlMap))
        {
            notes.Error(other.Line, $"a manifest is a map of keys and values, not {other.Noun}; see trestle launch --help");
        }

        if (documents.Count == 0)
        {
            notes.Error(1, "there is nothing in this file; write a job, e.g. name: hello and run: echo hello");
        }

        return notes.Errors.Count > 0 ? [] : [.. documents.Cast<YamlMap>()];
    }

    private static bool IsObject(YamlMap document) => document.Find("apiVersion") is not null || document.Find("kind") is not null;

    private static int Line(string text, int index) => text.AsSpan(0, index).Count('\n') + 1;

    [GeneratedRegex("^#SBATCH", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Batch();
}
