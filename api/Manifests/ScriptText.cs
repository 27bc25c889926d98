namespace Trestle.Api.Manifests;

/// <summary>Whether a script is text that a shell can execute.</summary>
internal static class ScriptText
{
    /// <summary>What is wrong with it, after the name of the key; null when nothing is.</summary>
    public static string? Problem(string script)
    {
        if (string.IsNullOrWhiteSpace(script))
        {
            return "is empty; write the commands to run";
        }

        var bad = script.FirstOrDefault(letter => (char.IsControl(letter) || letter == '\uFFFD') && letter is not ('\t' or '\n' or '\r' or '\f' or '\u001b'), '\n');
        return bad == '\n' ? null : $"must be text that a shell can execute; it holds binary data (character U+{(int)bad:X4})";
    }
}
