using Trestle.Runtime;

namespace Trestle.WeightsGateway.Hosting;

/// <summary>Readings that the gateway's settings have in common.</summary>
internal static class SettingReading
{
    /// <summary>ADDRESS:PORT, with or without http:// before it.</summary>
    /// <exception cref="SettingException">It is none.</exception>
    public static string ListenAt(this SettingValues values, Setting setting)
    {
        var text = values.Text(setting) ?? "";
        var url = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        var probe = url.Replace("http://*", "http://0.0.0.0", StringComparison.Ordinal);
        return Uri.TryCreate(probe, UriKind.Absolute, out var uri) && uri is { Scheme: "http", AbsolutePath: "/" } && text.Contains(':', StringComparison.Ordinal)
            ? url
            : throw new SettingException($"{setting.Both} must be an address with a port, e.g. {setting.Default}; got '{text}'");
    }

    /// <summary>What a file holds, without the end of its line.</summary>
    /// <exception cref="SettingException">It can't be read or is empty.</exception>
    public static string? Content(this SettingValues values, Setting setting)
    {
        if (values.Text(setting) is not { } path) return null;
        try
        {
            return File.ReadAllText(path).Trim() is { Length: > 0 } content ? content : throw new SettingException($"{setting.Both} names {path}, which is empty");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{setting.Both} names {path}, which can't be read: {error.Message}");
        }
    }

    /// <summary>What must be given.</summary>
    /// <exception cref="SettingException">It is not.</exception>
    public static string Needed(this SettingValues values, Setting setting) =>
        values.Text(setting) ?? throw new SettingException($"{setting.Both} is missing: {setting.Help}");
}
