namespace Trestle.Bridge.Slurm;

/// <summary>Writes values into POSIX sh scripts.</summary>
internal static class ShellText
{
    /// <summary>One word, whatever is in it.</summary>
    /// <exception cref="ArgumentException">A NUL, which no word of a shell can hold.</exception>
    public static string Quote(string value) =>
        value.Contains('\0', StringComparison.Ordinal) ? throw new ArgumentException("a value with a NUL can't be handed over", nameof(value)) : $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
