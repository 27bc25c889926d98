using System.ComponentModel;
using System.Diagnostics;

namespace Trestle.Local.Nodes.Sandbox;

/// <summary>Finds out whether sandboxes can be made on this machine.</summary>
public static class Bubblewrap
{
    /// <summary>Null when they can; otherwise one sentence that says what to change.</summary>
    public static async Task<string?> ComplaintAsync(CancellationToken ct)
    {
        try
        {
            var start = new ProcessStartInfo("bwrap") { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
            foreach (var argument in (string[])["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true"]) start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            var words = await process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return process.ExitCode == 0
                ? null
                : $"pods can't be sandboxed here because bubblewrap is not permitted to make namespaces ({words.Trim()}); allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1) or run as root";
        }
        catch (Win32Exception)
        {
            return "pods run in bubblewrap sandboxes and the command bwrap was not found; install the package bubblewrap (apt install bubblewrap)";
        }
    }
}
