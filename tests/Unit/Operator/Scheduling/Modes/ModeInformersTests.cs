using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Tests.Builders;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Scheduling.Modes;

/// <summary>Kinds that the cluster has, has not, gets later, or keeps from us.</summary>
public sealed class ModeInformersTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Cluster _cluster = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_kind_that_is_not_there_is_never_listed()
    {
        var modes = Informers();
        await modes.StartAsync(Ct);
        _cluster.Listed.ShouldBeEmpty();
        Refusal(modes, SchedulingMode.Kueue).ShouldNotBeNull();
        Refusal(modes, SchedulingMode.Operator).ShouldBeNull();
    }

    [Fact]
    public async Task A_kind_that_is_there_is_seen_from_the_start()
    {
        _cluster.Serve("kueue.x-k8s.io/v1beta2", "workloads", "localqueues", "resourceflavors");
        var modes = Informers();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        await modes.StartAsync(stop.Token);
        Refusal(modes, SchedulingMode.Kueue).ShouldBeNull();
        _cluster.Listed.ShouldBe(["workloads", "localqueues", "resourceflavors"], ignoreOrder: true);
        await stop.CancelAsync();
    }

    [Theory]
    [InlineData("scheduling.k8s.io/v1alpha2")]
    [InlineData("scheduling.k8s.io/v1beta1")]
    public async Task The_gang_api_is_taken_in_the_version_that_is_there(string version)
    {
        _cluster.Serve(version, "podgroups");
        var modes = Informers();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        await modes.StartAsync(stop.Token);
        var job = AJob.Named().With(job => job.Status = new TrainingJobStatus { SchedulingMode = SchedulingMode.Native }).Build();
        var made = modes.Modes.Of(job).Group(job, 1, new V1Pod { Spec = new V1PodSpec { Containers = [] } }).ShouldNotBeNull();
        var item = (IKubernetesObject)made.GetType().GetProperty("Item")!.GetValue(made)!;
        item.ApiVersion.ShouldBe(version);
        await stop.CancelAsync();
    }

    [Fact]
    public async Task A_kind_that_comes_later_is_found_at_the_next_look()
    {
        var modes = Informers();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        await modes.StartAsync(stop.Token);
        var running = modes.RunAsync(stop.Token);
        _cluster.Serve("scheduling.volcano.sh/v1beta1", "podgroups");
        Refusal(modes, SchedulingMode.Volcano).ShouldNotBeNull();
        _time.Advance(ModeInformers.Interval);
        await Until(() => Refusal(modes, SchedulingMode.Volcano) is null);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_kind_that_may_not_be_read_keeps_nobody_from_working()
    {
        _cluster.Serve("scheduling.volcano.sh/v1beta1", "podgroups");
        _cluster.Forbids = true;
        var modes = Informers();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var starting = modes.StartAsync(stop.Token);
        await Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return starting.IsCompleted;
        });
        Refusal(modes, SchedulingMode.Volcano).ShouldNotBeNull();
        await stop.CancelAsync();
    }

    private static async Task Until(Func<bool> holds)
    {
        while (!holds())
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static string? Refusal(ModeInformers modes, SchedulingMode mode) =>
        modes.Modes.Choose(AJob.Named().With(job => job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Mode = mode, Queue = "q" }).Build()).Refusal;

    private ModeInformers Informers() => new(_cluster, _cluster, new OperatorOptions(), _ => new V1Pod(), _time, NullLogger.Instance);

    /// <summary>Empty lists of the kinds that it has.</summary>
    private sealed class Cluster : IKubeApi, IApiDiscovery
    {
        private readonly Dictionary<string, HashSet<string>> _served = [];
        private readonly List<string> _listed = [];

        public bool Forbids { get; set; }

        public IReadOnlyList<string> Listed
        {
            get
            {
                lock (_listed) return [.. _listed];
            }
        }

        public void Serve(string version, params string[] resources)
        {
            lock (_served) _served[version] = [.. resources];
        }

        public Task<IReadOnlySet<string>> ResourcesAsync(string group, string version, CancellationToken ct)
        {
            lock (_served) return Task.FromResult<IReadOnlySet<string>>(_served.GetValueOrDefault($"{group}/{version}") ?? []);
        }

        public Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta>
        {
            lock (_listed) _listed.Add(ResourceKind.Of<T>().Plural);
            if (Forbids) throw new KubeApiException(HttpStatusCode.Forbidden, "Forbidden", "podgroups is forbidden");
            return Task.FromResult(new KubeList<T>([], "1"));
        }

        public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, [EnumeratorCancellation] CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            yield break;
        }

        public Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

        public Task<T> CreateAsync<T>(T item, CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

        public Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

        public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

        public Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

        public Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

        public Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
            where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();
    }
}
