using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Slurm;
using Trestle.Operator.Storages;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.TrainingJobs;

/// <summary>Does what a plan says. Everything may be done again: what is there already, or gone already, is fine.</summary>
// Secrets: an attempt's tokens are created, looked at when the name is taken, and deleted with the next attempt; never listed or watched.
[EntityRbac("", "pods", "get,create,patch,delete")]
[EntityRbac("", "services,configmaps", "get,create")]
[EntityRbac("", "secrets", "get,create,delete")]
[EntityRbac(ApiGroup.Name, "slurmjobs", "get,create,patch")]
internal sealed class EffectRunner(IKubeApi api, IObjectCache<NodeView> nodes, PodSettings settings, RendezvousKey key, IAdmissionMode mode, Observed seen, JobMemory memory)
{
    private const int Parallel = 16;
    private static readonly TimeSpan NameTakenWait = TimeSpan.FromSeconds(1);

    private TrainingJob Job => seen.Job;

    /// <summary>When to look again at what could not be done now.</summary>
    public TimeSpan? Again { get; private set; }

    /// <summary>Set when the API server will not take a pod as it is.</summary>
    public RankFailure? Refusal { get; private set; }

    public Task RunAsync(Effect effect, CancellationToken ct) => effect switch
    {
        AddFinalizer => SetFinalizersAsync([.. Job.Metadata.Finalizers ?? [], Names.JobFinalizer], ct),
        RemoveFinalizer => SetFinalizersAsync((Job.Metadata.Finalizers ?? []).Where(name => name != Names.JobFinalizer), ct),
        DeleteJob => api.DeleteAsync<TrainingJob>(Job.Key(), new Deletion { Uid = Job.Metadata.Uid }, ct),
        MakeStorages make => MakeStoragesAsync(make.Names, ct),
        EnsureObjects ensure => EnsureObjectsAsync(ensure.Attempt, ct),
        CreatePods create => CreatePodsAsync(create, ct),
        Release release => ForEachAsync(release.Pods, pinned => $"release {pinned.Pod.Metadata.Uid}", ReleaseAsync, ct),
        DeletePods delete => ForEachAsync(delete.Pods, pod => $"delete {pod.Metadata.Uid}", DeleteAsync, ct),
        MakeSlurmJob make => MakeSlurmJobAsync(make.Attempt, ct),
        EndSlurmJobs end => ForEachAsync(end.Jobs, job => $"end {job.Metadata.Uid}", EndAsync, ct),
        _ => throw new InvalidOperationException($"nothing is known of {effect.GetType().Name}"),
    };

    private async Task SetFinalizersAsync(IEnumerable<string> names, CancellationToken ct)
    {
        var metadata = new JsonObject
        {
            ["resourceVersion"] = Job.Metadata.ResourceVersion,
            ["finalizers"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]),
        };
        try
        {
            await api.PatchAsync<TrainingJob>(Job.Key(), new Patch(PatchKind.Merge, new JsonObject { ["metadata"] = metadata }), ct);
            memory.Wrote(Job);
        }
        catch (KubeApiException error) when (error.IsNotFound)
        {
            // Gone already.
        }
    }

    private async Task MakeStoragesAsync(IReadOnlyList<string> names, CancellationToken ct)
    {
        foreach (var name in names)
        {
            try
            {
                await api.CreateAsync(StoragePlanner.Default(Job.Metadata.NamespaceProperty, name, settings.StorageRoot!), ct);
            }
            catch (KubeApiException error) when (error.IsAlreadyExists)
            {
                // Another job mounts it too.
            }
        }
    }

    private async Task EnsureObjectsAsync(int attempt, CancellationToken ct)
    {
        var name = $"objects {attempt}";
        if (memory.IsDone(name)) return;
        var ours = (Job.TaskGroup is not null || await MakeAsync(LaunchObjects.Service(Job), ct))
            & await MakeAsync(LaunchObjects.Scripts(Job), ct)
            & await MakeAsync(LaunchObjects.Token(Job, attempt, key), ct);
        if (attempt > 1) await api.DeleteAsync<V1Secret>(new ObjectKey(Job.Metadata.NamespaceProperty, LaunchObjects.TokenName(Job, attempt - 1)), Deletion.Default, ct);
        if (ours) memory.Did(name);
    }

    private async Task CreatePodsAsync(CreatePods create, CancellationToken ct)
    {
        try
        {
            if (!await GroupIsThereAsync(create.Attempt, ct) || mode.Extras(Job, create.Attempt) is not { } extras)
            {
                Again ??= NameTakenWait;
                return;
            }

            await ForEachAsync(create.Ranks, rank => $"create {Names.Pod(Job.Metadata.Name, rank, create.Attempt)}", (rank, token) =>
                MakeAsync(extras.Put(LaunchObjects.Pod(Job, settings, seen.Storages, rank, create.Attempt)), token), ct);
        }
        catch (Exception error) when (error is KubeApiException { IsInvalid: true } or KubeApiException { IsForbidden: true } or ArgumentException)
        {
            // A quota may have room later; what is invalid stays so.
            var cause = error is KubeApiException { IsForbidden: true } ? FailureCause.Unplaced : FailureCause.User;
            Refusal = new RankFailure(cause, create.Ranks[0], "PodRefused", $"the pods can't be created: {error.Message}") { Stage = ExitStage.Start, Output = error.Message };
        }
    }

    // A pod whose group is not there might be placed alone.
    private async Task<bool> GroupIsThereAsync(int attempt, CancellationToken ct)
    {
        var name = $"group {attempt}";
        if (memory.IsDone(name) || mode.Group(Job, attempt, LaunchObjects.Pod(Job, settings, seen.Storages, 0, attempt)) is not { } group) return true;
        if (!await group.ApplyAsync(api, Job, ct)) return false;
        memory.Did(name);
        return true;
    }

    private async Task<bool> MakeAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (await api.MakeOwnedAsync(item, Job, ct)) return true;
        Again = NameTakenWait;
        return false;
    }

    private async Task MakeSlurmJobAsync(int attempt, CancellationToken ct)
    {
        var name = $"slurm job {attempt}";
        if (memory.IsDone(name)) return;
        var place = Places.Now(Job, Job.Status!).Slurm!;
        if (!seen.Clusters.TryGetValue(place.Cluster, out var cluster)) return;
        try
        {
            var maps = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
            foreach (var map in SlurmJobBuilder.ConfigMaps(Job.Spec))
            {
                if (await api.FindAsync<V1ConfigMap>(new ObjectKey(Job.Metadata.NamespaceProperty, map), ct) is { } found) maps[map] = found.Data?.AsReadOnly() ?? new Dictionary<string, string>().AsReadOnly();
            }

            var input = new SlurmInput(Job, place, cluster, attempt) { Group = seen.Group, Storages = seen.Storages, ConfigMaps = maps };
            if (await MakeAsync(SlurmJobBuilder.Build(input), ct)) memory.Did(name);
        }
        catch (Exception error) when (error is KubeApiException { IsInvalid: true } or KubeApiException { IsForbidden: true } or ArgumentException)
        {
            Refusal = new RankFailure(FailureCause.User, 0, "SlurmJobRefused", $"the job can't be made for Slurm: {error.Message}") { Stage = ExitStage.Start, Output = error.Message };
        }
    }

    private async Task<bool> EndAsync(SlurmJob job, CancellationToken ct)
    {
        try
        {
            await api.PatchAsync<SlurmJob>(job.Key(), new Patch(PatchKind.Merge, new JsonObject { ["metadata"] = new JsonObject { ["uid"] = job.Metadata.Uid }, ["spec"] = new JsonObject { ["cancel"] = true } }), ct);
        }
        catch (KubeApiException error) when (error.IsNotFound || error.IsConflict)
        {
            // Gone, or another one of the same name: the next look tells.
        }

        return true;
    }

    private async Task<bool> ReleaseAsync(PinnedPod pinned, CancellationToken ct)
    {
        try
        {
            await api.PatchAsync<PodView>(pinned.Pod.Key(), PodRelease.Of(pinned.Pod, pinned.Node, nodes), ct);
        }
        catch (KubeApiException error) when (error.IsNotFound)
        {
            // Deleted in between: the next look sees it gone.
        }

        return true;
    }

    private async Task<bool> DeleteAsync(PodView pod, CancellationToken ct)
    {
        try
        {
            await api.DeleteAsync<PodView>(pod.Key(), new Deletion { Uid = pod.Metadata.Uid }, ct);
        }
        catch (KubeApiException error) when (error.IsConflict)
        {
            // Another pod has the name by now.
        }

        return true;
    }

    // What was done a moment ago and is not in the caches yet is not done again.
    private async Task ForEachAsync<T>(IReadOnlyList<T> items, Func<T, string> name, Func<T, CancellationToken, Task<bool>> act, CancellationToken ct)
    {
        var open = items.Where(item => !memory.IsDone(name(item))).ToList();
        if (open.Count < items.Count) Again ??= JobMemory.Lag;
        await System.Threading.Tasks.Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = ct }, async (item, token) =>
        {
            if (await act(item, token)) memory.Did(name(item));
        });
    }
}
