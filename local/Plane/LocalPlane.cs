using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Plane;

/// <summary>
/// The commands of <c>trestle local</c>. Each gives an exit code and writes one sentence to <c>error</c> when it can't do
/// what was asked.
/// </summary>
public static class LocalPlane
{
    private const string DetachedVariable = "TRESTLE_LOCAL_DETACHED";
    private const int NotFound = 3;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FaultLimit = TimeSpan.FromSeconds(15);
    private static readonly string[] Parts = ["bridge", "operator", "nodes", "api"];

    /// <summary>Starts the plane; returns when it is stopped, or when it is ready if detached.</summary>
    public static Task<int> UpAsync(LocalPlaneOptions options, TextWriter output, TextWriter error, CancellationToken ct) => AnswerAsync(error, async () =>
    {
        var directory = PlaneDirectory.Resolve(options.StateDirectory);
        if (Environment.GetEnvironmentVariable(DetachedVariable) == "1") return await SuperviseAsync(directory, PlaneSettings.Read(directory)!, output, ct);
        if (directory.Pid("supervisor").Alive() is { } running)
        {
            if (options.Slurm.ExceptBy((PlaneSettings.Read(directory)?.Slurm ?? []).Select(cluster => cluster.Name), cluster => cluster.Name).FirstOrDefault() is { } missing)
                throw new PlaneException($"a plane without Slurm cluster {missing.Name} runs already in {directory.Root}; stop it with: trestle local down, and start it again");
            await output.WriteLineAsync($"already running as process {running}\nKUBECONFIG={directory.Kubeconfig}");
            return 0;
        }

        await Preflight.CheckAsync(directory, ct);
        await SweepAsync(directory);
        var settings = Settle(directory, options);
        settings.Write(directory);
        return options.Detach ? await DetachAsync(directory, output, ct) : await SuperviseAsync(directory, settings, output, ct);
    });

    /// <summary>Stops the plane and everything it started; jobs stay on record unless <paramref name="purge"/>.</summary>
    public static Task<int> DownAsync(string? stateDirectory, bool purge, TextWriter output, TextWriter error, CancellationToken ct) => AnswerAsync(error, async () =>
    {
        var directory = PlaneDirectory.Resolve(stateDirectory);
        if (!File.Exists(directory.Settings))
        {
            await output.WriteLineAsync($"nothing to stop: no plane was started in {directory.Root}");
            return 0;
        }

        var supervisor = directory.Pid("supervisor").Alive();
        if (supervisor is { } pid)
        {
            NativeProcess.Terminate(pid);
            await GoneAsync(directory.Pid("supervisor"), ct);
        }

        await SweepAsync(directory);
        if (SandboxProcess.FindBelow(directory.Root) is { Count: > 0 } left) throw new PlaneException($"processes {string.Join(", ", left)} of the plane could not be stopped; stop them by hand");
        if (purge) Directory.Delete(directory.Root, recursive: true);
        await output.WriteLineAsync(purge ? $"stopped, and {directory.Root} is deleted" : $"{(supervisor is null ? "was not running" : "stopped")}; jobs are kept in {directory.Root}");
        return 0;
    });

    /// <summary>Says whether the plane runs, and where.</summary>
    public static Task<int> StatusAsync(string? stateDirectory, TextWriter output, TextWriter error, CancellationToken ct) => AnswerAsync(error, async () =>
    {
        var directory = PlaneDirectory.Resolve(stateDirectory);
        if (directory.Pid("supervisor").Alive() is not { } supervisor)
        {
            await output.WriteLineAsync($"not running (state directory {directory.Root}); start it with: trestle local up");
            return NotFound;
        }

        await output.WriteLineAsync($"running as process {supervisor}{(File.Exists(directory.Ready) ? "" : ", not ready yet")}");
        var settings = PlaneSettings.Read(directory);
        foreach (var part in Parts.Reverse().Where(part => part != "bridge" || settings?.Slurm.Count > 0)) await output.WriteLineAsync($"{part,-9} {(directory.Pid(part).Alive() is { } pid ? $"process {pid}" : "not running")}, log {directory.Log(part)}");
        await output.WriteLineAsync($"KUBECONFIG={directory.Kubeconfig}");
        return 0;
    });

    /// <summary>Breaks or repairs a virtual node; returns once it shows. <paramref name="fault"/> is fail, drain or restore.</summary>
    public static Task<int> NodeFaultAsync(string? stateDirectory, string name, string fault, TextWriter output, TextWriter error, CancellationToken ct) => AnswerAsync(error, async () =>
    {
        var directory = PlaneDirectory.Resolve(stateDirectory);
        if (directory.Pid("supervisor").Alive() is null) throw new PlaneException($"no plane is running in {directory.Root}; start it with: trestle local up");
        using var api = KubeConnection.Open(directory.Kubeconfig);
        var path = $"/api/v1/nodes/{Uri.EscapeDataString(name)}";
        if (await api.FindAsync(path, ct) is null)
        {
            var names = ((await api.FindAsync("/api/v1/nodes", ct))?["items"]?.AsArray() ?? []).Select(n => (string)n!["metadata"]!["name"]!);
            await error.WriteLineAsync($"trestle: there is no node {name}; the nodes are {string.Join(", ", names)}");
            return NotFound;
        }

        await api.MergeAsync(path, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [NodeObjects.FaultAnnotation] = fault == "restore" ? null : fault } } }, ct);
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < FaultLimit)
        {
            var node = await api.FindAsync(path, ct);
            if (node is not null && Shows(node, fault))
            {
                await output.WriteLineAsync($"{name} {fault switch { "fail" => "failed: its processes are killed", "drain" => "is cordoned and its pods are evicted", _ => "is restored" }}");
                return 0;
            }

            await Task.Delay(Look, TimeProvider.System, ct);
        }

        throw new PlaneException($"{name} was told to {fault}, and the node agent has not answered; its log is {directory.Log("nodes")}");
    });

    /// <summary>Body of one part's process: <c>api</c>, <c>nodes</c>, <c>operator</c> or <c>bridge</c>.</summary>
    public static async Task<int> RunChildAsync(string part, string stateDirectory, CancellationToken ct)
    {
        var directory = PlaneDirectory.Resolve(stateDirectory);
        using var logs = Logging();
        var log = logs.CreateLogger("Trestle.Plane");
        if (PlaneSettings.Read(directory) is not { } settings)
        {
            PlaneLog.CannotRun(log, part, $"{directory.Settings} is missing; start the plane with: trestle local up");
            return 1;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Lifeline.Watch(() =>
        {
            PlaneLog.Orphaned(log, part);
            stop.Cancel();
        });
        var parts = new PlaneParts(directory, settings, logs);
        try
        {
            await (part switch
            {
                "api" => parts.ApiAsync(stop.Token),
                "nodes" => parts.NodesAsync(stop.Token),
                "operator" => parts.OperatorAsync(stop.Token),
                "bridge" => parts.BridgeAsync(stop.Token),
                _ => throw new PlaneException($"there is no part {part}; the parts are api, nodes, operator and bridge"),
            });
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception e) when (e is PlaneException or InvalidOperationException or IOException or InvalidDataException or ArgumentException)
        {
            PlaneLog.CannotRun(log, part, e.Message);
            return 1;
        }
    }

    private static async Task<int> AnswerAsync(TextWriter error, Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (PlaneException e)
        {
            await error.WriteLineAsync($"trestle: {e.Message}");
            return 1;
        }
    }

    private static async Task<int> SuperviseAsync(PlaneDirectory directory, PlaneSettings settings, TextWriter output, CancellationToken ct)
    {
        FileStream guard;
        try
        {
            guard = new FileStream(directory.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new PlaneException($"another supervisor is starting in {directory.Root}; wait for it, or stop it with: trestle local down");
        }

        await using (guard)
        {
            directory.Pid("supervisor").Write(Environment.ProcessId);
            try
            {
                using var logs = Logging();
                await new Supervisor(directory, settings, Programs.Find(), TimeProvider.System, Environment.GetEnvironmentVariable(DetachedVariable) == "1" ? logs : LoggerFactory.Create(_ => { }), output).RunAsync(ct);
                await PodFleet.KillBelowAsync(directory.Nodes, TimeProvider.System);
                NodeAgent.RemoveTraces(directory.Root);
            }
            finally
            {
                directory.Pid("supervisor").Delete();
            }
        }

        return 0;
    }

    private static async Task<int> DetachAsync(PlaneDirectory directory, TextWriter output, CancellationToken ct)
    {
        var log = directory.Log("supervisor");
        await File.WriteAllTextAsync(log, "", ct);
        var start = new ProcessStartInfo("setsid") { UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var word in (string[])["/bin/sh", "-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", log, .. Programs.Find().Trestle, "local", "up", "--state", directory.Root]) start.ArgumentList.Add(word);
        start.Environment[DetachedVariable] = "1";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_GCConserveMemory"] = "5";
        using var supervisor = Process.Start(start)!;
        var shown = 0;
        while (true)
        {
            var lines = ((await File.ReadAllTextAsync(log, ct)).Split('\n')[..^1]).Where(IsForUser).ToList();
            foreach (var line in lines.Skip(shown)) await output.WriteLineAsync(line);
            shown = Math.Max(shown, lines.Count);
            if (lines.Any(l => l.StartsWith("KUBECONFIG=", StringComparison.Ordinal))) return 0;
            if (supervisor.HasExited) throw new PlaneException(lines.LastOrDefault(l => l.StartsWith("trestle: ", StringComparison.Ordinal))?["trestle: ".Length..] ?? $"the supervisor ended with {supervisor.ExitCode}; its log is {log}");
            await Task.Delay(Look, TimeProvider.System, ct);
        }
    }

    // The supervisor's log also holds log lines, which begin with their time.
    private static bool IsForUser(string line) => line.Length > 0 && !(line.Length > 20 && line[4] == '-' && line[10] == 'T');

    private static PlaneSettings Settle(PlaneDirectory directory, LocalPlaneOptions options)
    {
        var before = PlaneSettings.Read(directory);
        var port = options.Port > 0 ? options.Port : before?.ApiPort is > 0 and var kept && Preflight.IsFree(kept) ? kept : Preflight.FreePort();
        if (!Preflight.IsFree(port)) throw new PlaneException($"port {port} is in use; give another one with --port or leave --port out");
        return new PlaneSettings
        {
            ApiPort = port,
            RendezvousPort = Kept(before?.RendezvousPort),
            SlurmLogsPort = Kept(before?.SlurmLogsPort),
            Nodes = options.Nodes,
            GpuType = options.GpuType,
            GpuCount = options.GpuCount,
            NoOperator = options.NoOperator,
            Objects = options.StorageRoot ?? directory.Objects,
            Slurm = options.Slurm,
            Path = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        };
    }

    private static int Kept(int? port) => port is > 0 and var last && Preflight.IsFree(last) ? last : Preflight.FreePort();

    // Ends what an earlier supervisor that was killed has left, by recorded id and start time.
    private static async Task SweepAsync(PlaneDirectory directory)
    {
        foreach (var part in Parts)
        {
            var file = directory.Pid(part);
            if (file.Alive() is { } pid)
            {
                NativeProcess.Terminate(pid);
                await GoneAsync(file, CancellationToken.None);
            }

            file.Delete();
        }

        await PodFleet.KillBelowAsync(directory.Root, TimeProvider.System);
        NodeAgent.RemoveTraces(directory.Root);
        directory.Pid("supervisor").Delete();
        File.Delete(directory.Ready);
    }

    private static async Task GoneAsync(PidFile file, CancellationToken ct)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (file.Alive() is { } pid)
        {
            if (TimeProvider.System.GetElapsedTime(began) > StopLimit) NativeProcess.Kill(pid);
            await Task.Delay(Look, TimeProvider.System, ct);
        }
    }

    private static bool Shows(JsonObject node, string fault)
    {
        var ready = (node["status"]?["conditions"]?.AsArray() ?? []).Any(c => (string?)c!["type"] == "Ready" && (string?)c["status"] == "True");
        var cordoned = (bool?)node["spec"]?["unschedulable"] == true;
        return fault switch
        {
            "fail" => !ready,
            "drain" => cordoned,
            _ => ready && !cordoned,
        };
    }

    private static ILoggerFactory Logging() => LoggerFactory.Create(builder => builder
        .SetMinimumLevel(LogLevel.Information)
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
        }));
}
