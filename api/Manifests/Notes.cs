using System.Globalization;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests;

/// <summary>What is found on the way through one file.</summary>
internal sealed class Notes(string source)
{
    // A file that is something else altogether would make one sentence a line.
    private const int MaxErrors = 50;
    private readonly List<ManifestError> _errors = [];
    private readonly List<ManifestLine> _report = [];

    public IReadOnlyList<ManifestError> Errors => [.. _errors.OrderBy(error => error.Line)];

    public IReadOnlyList<ManifestLine> Report => [.. _report.OrderBy(line => line.Line)];

    public void Error(int line, string sentence)
    {
        if (_errors.Count < MaxErrors)
        {
            _errors.Add(new ManifestError(source, line, sentence));
        }
    }

    public void Mapped(int line, string text) => _report.Add(new ManifestLine(source, line, Fate.Mapped, text));

    public void PassedThrough(int line, string text) => _report.Add(new ManifestLine(source, line, Fate.PassedThrough, text));

    public void NeedsYou(int line, string text) => _report.Add(new ManifestLine(source, line, Fate.NeedsYou, text));

    /// <summary>The text of a scalar, or null after an error.</summary>
    public string? Text(YamlEntry entry)
    {
        if (entry.Value is YamlScalar scalar)
        {
            return scalar.Text;
        }

        Error(entry.Line, $"{entry.Key} must be text, not {entry.Value.Noun}");
        return null;
    }

    /// <summary>The whole number of a scalar, or null after an error.</summary>
    public int? Whole(YamlEntry entry, int least, int most)
    {
        if (entry.Value is YamlScalar scalar && int.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        Error(entry.Line, $"{entry.Key} must be a whole number from {least} to {most}, not {Shown(entry.Value)}");
        return null;
    }

    /// <summary>The truth value of a scalar, or null after an error.</summary>
    public bool? Truth(YamlEntry entry)
    {
        if (entry.Value is YamlScalar { Truth: { } truth })
        {
            return truth;
        }

        Error(entry.Line, $"{entry.Key} must be true or false, not {Shown(entry.Value)}");
        return null;
    }

    /// <summary>The map of a key, or null after an error.</summary>
    public YamlMap? Map(YamlEntry entry)
    {
        if (entry.Value is YamlMap map)
        {
            return map;
        }

        Error(entry.Line, $"{entry.Key} must be a map of keys and values, not {Shown(entry.Value)}");
        return null;
    }

    /// <summary>A value in a sentence.</summary>
    public static string Shown(YamlNode node) => node switch
    {
        { IsNull: true } => "nothing",
        YamlScalar scalar => $"'{Shown(scalar.Text)}'",
        _ => node.Noun,
    };

    /// <summary>Text in a sentence: one line, not too long.</summary>
    public static string Shown(string text)
    {
        var line = string.Concat(text.Take(60).Select(letter => char.IsControl(letter) ? ' ' : letter));
        return text.Length > 60 ? line + "…" : line;
    }
}
