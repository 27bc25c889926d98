using System.Diagnostics;
using Trestle.Testing;
using Trestle.Testing.Hollow;

namespace Trestle.Bench.Gang;

/// <summary>The workloads, on one system.</summary>
/// <param name="cluster">Where.</param>
/// <param name="system">Whose gangs.</param>
/// <param name="ct">Ends it.</param>
internal sealed class GangRun(HollowCluster cluster, IGangSystem system, CancellationToken ct)
{
    private const int Connections = 16;
    private HttpClient Api => cluster.Http;

    /// <summary>One gang: seconds until all its pods are there, until they are open too, and after one rank failed until all of the next attempt are.</summary>
    public async Task<(double Exist, double Create, double Restart, double RestartExist)> OneGangAsync(string name, int ranks)
    {
        await using var pods = await PodWatch.StartAsync(Api, system.Pods(name), system.AttemptLabel, ct);
        var first = system.FirstAttempt;
        var began = Stopwatch.GetTimestamp();
        await Api.CreateAsync(system.Collection, system.Gang(name, name, ranks, gpu: true), ct);
        await pods.ExistAsync(first, ranks);
        var made = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await StartedAsync(pods, first, ranks);
        var create = Stopwatch.GetElapsedTime(began).TotalSeconds;

        began = Stopwatch.GetTimestamp();
        await FailAsync(pods.AnyPod(first));
        await pods.ExistAsync(first + 1, ranks);
        var exist = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await StartedAsync(pods, first + 1, ranks);
        var restart = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await DeleteAsync(name);
        return (made, create, restart, exist);
    }

    /// <summary>Many gangs at once: seconds until all pods of all are there and open, and writes of anybody per gang.</summary>
    public async Task<(double Seconds, double Writes)> ManyGangsAsync(string round, int gangs, int ranks, bool gpu, Action? atThePeak = null)
    {
        await using var pods = await PodWatch.StartAsync(Api, system.Pods(round), system.AttemptLabel, ct);
        var before = await cluster.VersionAsync(ct);
        var began = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, gangs), new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = ct },
            async (number, token) => await Api.CreateAsync(system.Collection, system.Gang($"{round}-{number:00000}", round, ranks, gpu), token));
        await StartedAsync(pods, system.FirstAttempt, gangs * ranks);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var writes = (await cluster.VersionAsync(ct) - before) / (double)gangs;
        atThePeak?.Invoke();
        await DeleteAsync(round);
        return (seconds, writes);
    }

    private Task StartedAsync(PodWatch pods, int attempt, int count) => system.Gates ? pods.OpenAsync(attempt, count) : pods.ExistAsync(attempt, count);

    // As a kubelet tells it.
    private Task FailAsync(string pod) => Api.MergeAsync($"{ApiCalls.Pods}/{pod}/status",
        """{"status":{"phase":"Failed","containerStatuses":[{"name":"main","image":"pause","imageID":"pause","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}}""", ct);

    private async Task DeleteAsync(string round)
    {
        var (gangs, pods) = ($"{system.Collection}?labelSelector=bench%3D{round}", $"{ApiCalls.Pods}?labelSelector={Uri.EscapeDataString(system.Pods(round))}");
        while (await Left($"{gangs}&limit=1") || await Left($"{pods}&limit=1"))
        {
            // A server gives up a deletion of many after a minute, in the middle.
            using var answer = await Api.DeleteAsync(new Uri(gangs, UriKind.Relative), ct);
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, ct);
        }
    }

    private async Task<bool> Left(string path) => (await Api.ReadAsync(path, ct))!["items"]!.AsArray().Count > 0;
}
