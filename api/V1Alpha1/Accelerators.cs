using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Trestle.Api.V1Alpha1;

/// <summary>Accelerators of one node, e.g. <c>H100:8</c>.</summary>
/// <param name="Name">Type as nodes are labelled with, e.g. H100.</param>
/// <param name="Count">How many, 1 or more.</param>
public sealed record Accelerators(string Name, int Count)
{
    /// <summary>What the schema asks of accelerators.</summary>
    public const string Pattern = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(:[1-9][0-9]{0,3})?$";

    /// <summary>A label value is no longer.</summary>
    public const int MaxNameLength = 63;

    /// <summary>NAME[:COUNT]; NAME alone means 1.</summary>
    /// <param name="text">E.g. H100:8.</param>
    /// <param name="accelerators">Set when true.</param>
    /// <param name="error">What to write instead; set when false.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Accelerators? accelerators, [NotNullWhen(false)] out string? error)
    {
        accelerators = null;
        error = null;
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        var name = colon < 0 ? text : text![..colon];
        var count = 1;
        if (!IsName(name) || (colon >= 0 && !TryCount(text!.AsSpan(colon + 1), out count)))
        {
            error = $"accelerators must be NAME or NAME:COUNT, e.g. H100:8; got '{Shown(text)}'";
            return false;
        }

        accelerators = new Accelerators(name, count);
        return true;
    }

    /// <summary>As <see cref="TryParse"/>, or <see cref="FormatException"/> with the sentence.</summary>
    public static Accelerators Parse(string text) => TryParse(text, out var accelerators, out var error) ? accelerators : throw new FormatException(error);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}:{Count.ToString(CultureInfo.InvariantCulture)}";

    private static bool IsName([NotNullWhen(true)] string? name) =>
        name is { Length: > 0 and <= MaxNameLength }
        && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');

    private static bool TryCount(ReadOnlySpan<char> text, out int count)
    {
        count = 0;
        return text.Length is > 0 and <= 4 && text[0] != '0' && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count > 0;
    }

    private static string Shown(string? text) => text is { Length: > 80 } ? text[..80] + "…" : text ?? "";
}
