namespace Trestle.Bridge.Slurm;

/// <summary>Ids of jobs: what Slurm gives goes back into scripts, so nothing but a number passes.</summary>
internal static class JobId
{
    private const int Longest = 12;

    public static bool IsValid(string? text) => text is { Length: > 0 and <= Longest } && text[0] != '0' && text.All(char.IsAsciiDigit);
}
