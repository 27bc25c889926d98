using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Trestle.Local.Plane;

/// <summary>One part of the plane as a process of its own, started again whenever it ends.</summary>
internal sealed class PartProcess(string part, PlaneDirectory directory, IReadOnlyList<string> program, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LivedWell = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);
    private const long LogCap = 32L << 20;

    /// <summary>Runs the part until cancelled, and then stops it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var pause = FirstPause;
        while (!ct.IsCancellationRequested)
        {
            CapLog();
            var began = time.GetTimestamp();
            using var process = Start();
            directory.Pid(part).Write(process.Id);
            PlaneLog.Started(log, part, process.Id);
            await process.WaitForExitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ct.IsCancellationRequested)
            {
                await StopAsync(process);
                break;
            }

            var lived = time.GetElapsedTime(began);
            if (lived > LivedWell) pause = FirstPause;
            PlaneLog.Restarting(log, part, process.ExitCode, lived, pause);
            await Task.Delay(pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        directory.Pid(part).Delete();
    }

    // In a session of its own, so that Ctrl-C reaches only the supervisor; its standard input is the supervisor's lifeline.
    private Process Start()
    {
        var start = new ProcessStartInfo("setsid") { UseShellExecute = false, RedirectStandardInput = true, WorkingDirectory = "/" };
        foreach (var word in (string[])["/bin/sh", "-c", "exec \"$@\" >>\"$0\" 2>&1", directory.Log(part), .. program, "local", "run", part, "--state", directory.Root]) start.ArgumentList.Add(word);
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_GCConserveMemory"] = "5";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment[Lifeline.Variable] = "1";
        start.Environment.Remove("KUBECONFIG");
        return Process.Start(start)!;
    }

    private async Task StopAsync(Process process)
    {
        NativeProcess.Terminate(process.Id);
        using var limit = new CancellationTokenSource(StopLimit, time);
        await process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!process.HasExited)
        {
            PlaneLog.Killed(log, part);
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        PlaneLog.Stopped(log, part);
    }

    private void CapLog()
    {
        var file = new FileInfo(directory.Log(part));
        if (!file.Exists || file.Length < LogCap) return;
        File.Move(file.FullName, file.FullName + ".1", overwrite: true);
    }
}
