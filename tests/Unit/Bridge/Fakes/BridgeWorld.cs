using System.Text;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Login;
using Trestle.Runtime;

namespace Trestle.Bridge.Tests.Fakes;

/// <summary>A whole bridge on an API server in memory, with one cluster whose users are researcher (namespace team) and other.</summary>
internal sealed class BridgeWorld : IAsyncDisposable
{
    public const string Cluster = "alps";
    public const string Team = "team";
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(60);
    private CancellationTokenSource _life = new();
    private Task _running = Task.CompletedTask;

    public MemoryApi Api { get; init; } = new();

    public FakeSlurm Slurm { get; } = new();

    public ILoginNodes? Nodes { get; init; }

    public Action<string>? Hook { get; set; }

    public BridgeHealth Health { get; private set; } = new();

    public string? LogsUrl { get; private set; }

    public string? WorkRoot { get; init; }

    public static async Task<BridgeWorld> StartAsync(BridgeWorld? world = null)
    {
        world ??= new BridgeWorld();
        foreach (var (name, entry) in new[] { ("key", "ssh-privatekey"), ("hosts", "known_hosts") }) await world.SecretAsync("trestle-system", name, entry, $"text of {name}");
        await world.Api.CreateAsync(
            new SlurmCluster
            {
                Metadata = new V1ObjectMeta { Name = Cluster },
                Spec = new SlurmClusterSpec
                {
                    Ssh = new SshTarget { Host = "login", KnownHostsSecretRef = new NamespacedReference { Name = "hosts" } },
                    Users = [new SlurmUser { User = "researcher", Namespaces = [Team], KeySecretRef = new NamespacedReference { Name = "key" } }],
                    Poll = new SlurmPoll { Interval = "1s" },
                    WorkRoot = world.WorkRoot,
                },
            },
            default);
        world.Start();
        return world;
    }

    public void Start()
    {
        _life = new CancellationTokenSource();
        Health = new BridgeHealth();
        _running = BridgeHost.RunAsync(Api, new BridgeOptions { LeaseSeconds = 3, LogsAt = "/proxied" }, Nodes ?? Slurm, NullLoggerFactory.Instance, TimeProvider.System, Health, new FailPoints(name => Hook?.Invoke(name)), _life.Token, url => LogsUrl = url);
    }

    public async Task StopAsync()
    {
        await _life.CancelAsync();
        await _running;
    }

    public async Task<SlurmJob> SubmitAsync(string name, Action<SlurmJobSpec>? change = null, string ns = Team)
    {
        var spec = new SlurmJobSpec { Cluster = Cluster, Job = name, JobUid = $"{Guid.NewGuid()}", Attempt = 1, Nodes = 1, Script = "#!/bin/sh\nexit 0\n", Options = ["--partition=gpu", "--nodes=1"], GraceSeconds = 0 };
        change?.Invoke(spec);
        return await Api.CreateAsync(new SlurmJob { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns }, Spec = spec }, default);
    }

    public Task SecretAsync(string ns, string name, string entry, string value) =>
        Api.CreateAsync(new V1Secret { ApiVersion = "v1", Kind = "Secret", Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns }, Data = new Dictionary<string, byte[]> { [entry] = Encoding.UTF8.GetBytes(value) } }, default);

    public SlurmJob? Job(string name, string ns = Team) => Api.Find<SlurmJob>(new ObjectKey(ns, name));

    public async Task<SlurmJob> UntilAsync(string name, Func<SlurmJob, bool> condition, string ns = Team)
    {
        await UntilAsync(() => Job(name, ns) is { } job && condition(job), () => System.Text.Json.JsonSerializer.Serialize(Job(name, ns), TrestleJson.Default.SlurmJob));
        return Job(name, ns)!;
    }

    public static async Task UntilAsync(Func<bool> condition, Func<string>? explain = null)
    {
        for (var began = TimeProvider.System.GetTimestamp(); !condition(); await Task.Delay(20))
        {
            if (TimeProvider.System.GetElapsedTime(began) > GiveUp) throw new TimeoutException("gave up: " + explain?.Invoke());
        }
    }

    /// <summary>What squeue says of jobs from now on: id, state, restarts, exit code, reason and name.</summary>
    public void Queue(params (string Id, string State, string Exit, string Reason, string Name)[] jobs) =>
        Replace("queue", jobs.Select(job => $"{job.Id}~{job.State}~0~{job.Exit}~1795730429~1795730430~1795730499~gpu[1-2]~{job.Reason}~{job.Name}~"));

    /// <summary>What sacct says of jobs from now on.</summary>
    public void Accounting(params (string Id, string State, string Exit, string Name)[] jobs) =>
        Replace("accounting", jobs.Select(job => $"{job.Id}~{job.State}~{job.Exit}~1795730429~1795730430~1795730499~gpu1~None~{job.Name}~"));

    public string[] Cancels() => File.Exists(Slurm.PathOf("scancel.log")) ? File.ReadAllLines(Slurm.PathOf("scancel.log")) : [];

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Slurm.Dispose();
    }

    private void Replace(string file, IEnumerable<string> lines)
    {
        File.WriteAllLines(Slurm.PathOf(file + ".new"), lines);
        File.Move(Slurm.PathOf(file + ".new"), Slurm.PathOf(file), overwrite: true);
    }
}
