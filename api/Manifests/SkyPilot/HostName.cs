namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>Any name → a name that hosts can have.</summary>
internal static class HostName
{
    /// <summary>Small letters, digits and '-', a letter first; empty when nothing is left.</summary>
    /// <param name="name">As written.</param>
    /// <param name="most">Longest result.</param>
    public static string Make(string name, int most)
    {
        var words = new string([.. name.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '-')]).Trim('-');
        if (words.Length > 0 && !char.IsAsciiLetter(words[0]))
        {
            words = "job-" + words;
        }

        return words[..Math.Min(words.Length, most)].TrimEnd('-');
    }
}
