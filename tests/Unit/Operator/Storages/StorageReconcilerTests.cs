using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Storages;
using Trestle.Operator.Tests.Fakes;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Storages;

public sealed class StorageReconcilerTests : IDisposable
{
    private static readonly ObjectKey Key = new("research", "ckpts");
    private readonly string _root = Directory.CreateTempSubdirectory("trestle-test-").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubeApi _api;
    private readonly FakeCache<Storage> _storages;
    private readonly FakeCache<TrainingJob> _jobs;

    public StorageReconcilerTests()
    {
        _api = new FakeKubeApi(_time);
        (_storages, _jobs) = (new FakeCache<Storage>(_api), new FakeCache<TrainingJob>(_api));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task New_checkpoints_are_seen_while_a_job_uses_the_storage()
    {
        await CreateAsync();
        await _api.CreateAsync(AJob(), Ct);
        (await ReconcileAsync()).ShouldBe(TimeSpan.FromSeconds(15));
        await File.WriteAllTextAsync(Path.Combine(_root, "step-1"), "weights", Ct);
        await ReconcileAsync();
        Status().Checkpoints!.Single().Name.ShouldBe("step-1");
        (Status().Phase, Status().Bytes).ShouldBe((StoragePhase.Ready, 7));
    }

    [Fact]
    public async Task A_storage_that_nobody_uses_is_looked_at_once()
    {
        await CreateAsync();
        (await ReconcileAsync()).ShouldBeNull();
        Status().Phase.ShouldBe(StoragePhase.Ready);
    }

    [Fact]
    public async Task What_has_not_changed_is_not_written()
    {
        await CreateAsync();
        await File.WriteAllTextAsync(Path.Combine(_root, "step-1"), "weights", Ct);
        await ReconcileAsync();
        var requests = _api.Requests;
        _time.Advance(TimeSpan.FromHours(1));
        await ReconcileAsync();
        _api.Requests.ShouldBe(requests);
    }

    [Fact]
    public async Task A_directory_that_can_not_be_made_is_tried_again()
    {
        await CreateAsync("/dev/null/x");
        (await ReconcileAsync()).ShouldNotBeNull();
        Status().Phase.ShouldBe(StoragePhase.Failed);
    }

    [Fact]
    public async Task A_change_by_somebody_else_is_left_to_the_watch()
    {
        await CreateAsync();
        _storages.Refresh();
        var newer = _api.All<Storage>().Single();
        newer.Metadata.Labels = new Dictionary<string, string> { ["a"] = "b" };
        await _api.ReplaceAsync(newer, Ct);
        await Reconciler().ReconcileAsync(Key, Ct);
        _api.All<Storage>().Single().Status.ShouldBeNull();
    }

    private Task CreateAsync(string? path = null) => _api.CreateAsync(
        new Storage { Metadata = new V1ObjectMeta { Name = Key.Name, NamespaceProperty = Key.Namespace }, Spec = new StorageSpec { File = new FileStorage { Path = path ?? _root } } }, Ct);

    private static TrainingJob AJob() => new()
    {
        Metadata = new V1ObjectMeta { Name = "sft", NamespaceProperty = Key.Namespace },
        Spec = new TrainingJobSpec { Run = "true", Mounts = [new StorageMount { Path = "/c", Storage = Key.Name }] },
    };

    private async Task<TimeSpan?> ReconcileAsync()
    {
        _storages.Refresh();
        _jobs.Refresh();
        return await Reconciler().ReconcileAsync(Key, Ct);
    }

    private StorageReconciler Reconciler() => new(_api, _storages, _jobs, new FakeCache<PodView>(_api), new MountReports(_time), () => new PodSettings("image", null, "", null), _time);

    private StorageStatus Status() => _api.All<Storage>().Single().Status!;
}
