using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiMachinery;

/// <summary>The <c>format</c>s a CRD schema may name; an unknown one checks nothing, as in the real server.</summary>
internal static partial class StringFormats
{
    public static bool Matches(string format, string text) => format switch
    {
        "date-time" => IsDateTime(text),
        "date" => DateTime.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "duration" => GoDuration.TryParse(text, out _),
        "byte" => Convert.TryFromBase64String(text, new byte[(text.Length / 4 * 3) + 3], out _),
        "uuid" => Uuid().IsMatch(text),
        "ipv4" => IPAddress.TryParse(text, out var v4) && v4.AddressFamily == AddressFamily.InterNetwork && text.Count(c => c == '.') == 3,
        "ipv6" => IPAddress.TryParse(text, out var v6) && v6.AddressFamily == AddressFamily.InterNetworkV6,
        "cidr" => IPNetwork.TryParse(text, out _),
        "mac" => Mac().IsMatch(text),
        "uri" => Uri.TryCreate(text, UriKind.Absolute, out _),
        "hostname" => text.Length <= 255 && Hostname().IsMatch(text),
        "email" => Email().IsMatch(text),
        _ => true,
    };

    private static bool IsDateTime(string text) => DateTimeShape().IsMatch(text)
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex DateTimeShape();

    [GeneratedRegex(@"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Uuid();

    [GeneratedRegex(@"^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Mac();

    [GeneratedRegex(@"^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Hostname();

    [GeneratedRegex(@"^[^@\s<>]+@[^@\s<>]+\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Email();
}
