using System.Globalization;

namespace Trestle.Cli.Output;

/// <summary>Sizes in powers of 1024, with three digits at most.</summary>
internal static class Sizes
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Short(long bytes)
    {
        var (size, unit) = ((double)bytes, 0);
        while (size >= 1000 && unit < Units.Length - 1) (size, unit) = (size / 1024, unit + 1);
        return size.ToString(unit == 0 || size >= 100 ? "0" : size >= 10 ? "0.#" : "0.##", CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    public static string Short(long? bytes) => bytes is { } known ? Short(known) : "-";
}
