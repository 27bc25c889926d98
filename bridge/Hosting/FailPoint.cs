using System.Diagnostics;
using System.Globalization;
using Trestle.Bridge.Jobs;
using Trestle.Runtime;

namespace Trestle.Bridge.Hosting;

/// <summary>TRESTLE_FAIL_AT=NAME or NAME:N, for tests alone: the process kills itself when it comes to the point for the Nth time.</summary>
internal static class FailPoint
{
    private const string Variable = "TRESTLE_FAIL_AT";

    /// <summary>The points; nothing happens at them without the variable.</summary>
    /// <exception cref="SettingException">There is no such point.</exception>
    public static FailPoints Of(Func<string, string?> variable)
    {
        if (variable(Variable) is not { Length: > 0 } text) return new FailPoints();
        var parts = text.Split(':', 2);
        var count = 1;
        if (!FailPoints.Names.Contains(parts[0]) || (parts.Length == 2 && (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out count) || count == 0)))
            throw new SettingException($"{Variable} must be one of {string.Join(", ", FailPoints.Names)}, with :N for the Nth time; got '{text}'");
        var passed = 0;
        return new FailPoints(name =>
        {
            if (name != parts[0] || Interlocked.Increment(ref passed) != count) return;
            using var self = Process.GetCurrentProcess();
            self.Kill(); // SIGKILL: nothing is written, nothing is given back
        });
    }
}
