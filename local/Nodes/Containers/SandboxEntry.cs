using System.Diagnostics;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Containers;

/// <summary>Runs a command inside a running sandbox (util-linux nsenter).</summary>
public static class SandboxEntry
{
    /// <summary>Exit code of the command; 126 when the sandbox is not running. The command is killed when cancelled.</summary>
    public static async Task<int> RunAsync(SandboxProcess sandbox, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, CancellationToken ct)
    {
        if (sandbox.CommandId is not { } pid) return 126;
        var start = new ProcessStartInfo("nsenter") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        string[] user = Environment.IsPrivilegedProcess ? [] : ["-U", "--preserve-credentials"];
        foreach (var argument in (string[])["-t", $"{pid}", .. user, "-m", "-p", "-i", "-u", "-r", "-w", "--", .. command]) start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            // Output is drained and dropped, so that a chatty probe can't block on a full pipe.
            await Task.WhenAll(process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, ct), process.StandardError.BaseStream.CopyToAsync(Stream.Null, ct), process.WaitForExitAsync(ct));
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
