using System.Globalization;

namespace Trestle.Bridge.Slurm;

/// <summary>How a job ended: the exit code, and the signal that ended it when it was one.</summary>
/// <param name="Code">Exit code, 0 to 255.</param>
/// <param name="Signal">Number of the signal, 0 for none.</param>
internal readonly record struct ExitStatus(int Code, int Signal)
{
    /// <summary>
    /// Reads <c>3:0</c> and <c>0:9</c>, as sacct and newer squeue write it, and the wait status of older squeue: <c>768</c>, <c>9</c>.
    /// Null when it is neither.
    /// </summary>
    public static ExitStatus? Read(string text)
    {
        if (text.Split(':') is [var code, var signal])
            return Number(code) is { } exit and <= 255 && Number(signal) is { } number and <= 255 ? new ExitStatus(exit, number) : null;
        if (Number(text) is not { } status) return null;
        return (status & 0x7f) is > 0 and var killer ? new ExitStatus(0, killer) : new ExitStatus((status >> 8) & 0xff, 0);
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 0xffff ? number : null;
}
