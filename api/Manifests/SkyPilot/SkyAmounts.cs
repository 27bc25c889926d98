using System.Globalization;
using System.Text.RegularExpressions;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>cpus, memory and accelerators as SkyPilot writes them. A '+' means "at least", which is what a request is.</summary>
internal static partial class SkyAmounts
{
    private static readonly string[] Types =
        ["A10", "A10G", "A100", "A100-80GB", "B200", "B300", "GB200", "GB300", "GH200", "H100", "H200", "L4", "L40", "L40S", "MI300X", "MI325X", "P100", "RTX6000", "T4", "V100"];

    /// <summary>Cores, or null when it can't be read.</summary>
    public static string? Cpus(string text)
    {
        var cores = text.EndsWith('+') ? text[..^1] : text;
        return Plain().IsMatch(cores) && Quantity.TryParse(cores, out _) ? cores : null;
    }

    /// <summary>Without a unit, gigabytes; null when it can't be read.</summary>
    public static string? Memory(string text)
    {
        if (Sized().Match(text) is not { Success: true } match)
        {
            return null;
        }

        var unit = match.Groups["unit"].Value.ToUpperInvariant();
        unit = unit switch
        {
            "" => "G",
            "K" or "KB" => "k",
            _ when unit.Contains('I', StringComparison.Ordinal) => unit[..1] + "i",
            _ => unit[..1],
        };
        var written = match.Groups["number"].Value + unit;
        return Quantity.TryParse(written, out _) ? written : null;
    }

    /// <summary>Names of well-known types in the spelling that nodes are labelled with.</summary>
    public static Accelerators Spelled(Accelerators written) =>
        Array.Find(Types, type => type.Equals(written.Name, StringComparison.OrdinalIgnoreCase)) is { } type ? written with { Name = type } : written;

    /// <summary>Durations with a unit, or seconds without; null when it can't be read.</summary>
    public static string? Delay(string text)
    {
        var written = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? text + "s" : text;
        return Duration.TryParse(written, out _) ? written : null;
    }

    [GeneratedRegex(@"\A[0-9]{1,9}(\.[0-9]{1,3})?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Plain();

    [GeneratedRegex(@"\A(?<number>[0-9]{1,9}(\.[0-9]{1,3})?) ?(?<unit>[KMGTP]i?B?)?\+?\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Sized();
}
