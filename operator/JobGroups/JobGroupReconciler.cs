using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.JobGroups;

/// <summary>Carries out the plans of <see cref="JobGroupPlanner"/>.</summary>
/// <param name="api">The server.</param>
/// <param name="groups">All groups.</param>
/// <param name="jobs">All jobs, with <see cref="GroupIndex"/>.</param>
/// <param name="events">Where ends are told.</param>
/// <param name="time">The clock of delays.</param>
/// <param name="services">All InferenceServices; none when null.</param>
[EntityRbac("", "services", "get,create")]
[EntityRbac(ApiGroup.Name, "inferenceservices", "get,create,delete")]
public sealed class JobGroupReconciler(IKubeApi api, IObjectCache<JobGroup> groups, IObjectCache<TrainingJob> jobs, IEventRecorder events, TimeProvider time, IObjectCache<InferenceService>? services = null) : IReconciler
{
    /// <summary>Name of the index of jobs by namespace/group, see <see cref="GroupKey"/>.</summary>
    public const string GroupIndex = "group";

    /// <summary>Value of <see cref="GroupIndex"/>: the group that a job belongs to, is attached to, or stands in the way of.</summary>
    public static string? GroupKey(TrainingJob job) =>
        JobGroupPlanner.GroupOf(job) is { } group ? $"{job.Metadata.NamespaceProperty}/{group}" : null;

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (groups.Find(key) is not { } group) return null;
        var plan = JobGroupPlanner.Plan(new ObservedGroup(group, JobsOf(group)) { Services = ServicesOf(group) }, time.GetUtcNow());
        try
        {
            if (plan.AddFinalizer) await SetFinalizersAsync(group, [.. group.Metadata.Finalizers ?? [], Names.GroupFinalizer], ct);
            var refusal = await CreateAsync(group, plan.Create, ct);
            await TellAsync(group, refusal ?? plan.Status, ct);
            await EndAsync(group, plan, ct);
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            // It changed meanwhile; its change brings the next look.
        }

        return plan.RequeueAfter;
    }

    private List<TrainingJob> JobsOf(JobGroup group)
    {
        var named = group.Spec.Tasks.Select(task => jobs.Find(new ObjectKey(group.Metadata.NamespaceProperty, Names.TaskObject(group.Metadata.Name, task.Name)))).OfType<TrainingJob>();
        return [.. jobs.Where(GroupIndex, group.Key().ToString()).Concat(named).DistinctBy(job => job.Metadata.Name)];
    }

    private List<InferenceService> ServicesOf(JobGroup group) =>
        [.. group.Spec.Tasks.Where(task => task.Service is not null).Select(task => services?.Find(new ObjectKey(group.Metadata.NamespaceProperty, Names.TaskObject(group.Metadata.Name, task.Name)))).OfType<InferenceService>()];

    // The Service first: a job of the group is never without its names. Gives the status when it can't be done.
    private async Task<JobGroupStatus?> CreateAsync(JobGroup group, IReadOnlyList<JobGroupTask> tasks, CancellationToken ct)
    {
        if (tasks.Count == 0) return null;
        if (!await MakeAsync(group, GroupObjects.Service(group), ct))
            return GroupStatuses.Held(group, "NameTaken", $"Service {group.Metadata.Name} is there already and is not of this group; delete it, or rename the group");
        foreach (var task in tasks)
        {
            try
            {
                await (task.Service is not null ? MakeAsync(group, GroupObjects.Inference(group, task), ct) : MakeAsync(group, GroupObjects.Job(group, task), ct));
            }
            catch (KubeApiException error) when (error.IsInvalid)
            {
                return GroupStatuses.Refused(group, "TaskRefused", $"task {task.Name}: {error.Message}", time.GetUtcNow());
            }
        }

        return null;
    }

    // False when somebody else's object has the name.
    private async Task<bool> MakeAsync<T>(JobGroup group, T item, CancellationToken ct)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            await api.CreateAsync(item, ct);
            return true;
        }
        catch (KubeApiException error) when (error.IsAlreadyExists)
        {
            return await api.FindAsync<T>(item.Key(), ct) is { } there && there.IsControlledBy(group);
        }
    }

    private async Task TellAsync(JobGroup group, JobGroupStatus? status, CancellationToken ct)
    {
        if (status is null || Text(status) == Text(group.Status)) return;
        await api.ReplaceStatusAsync(new JobGroup { Metadata = group.Metadata, Spec = group.Spec, Status = status }, ct);
        if (status.Phase != group.Status?.Phase) events.Record(group, warning: status.Phase == JobGroupPhase.Failed, status.Reason!, status.Message!);
    }

    private async Task EndAsync(JobGroup group, GroupPlan plan, CancellationToken ct)
    {
        foreach (var job in plan.Cancel)
        {
            var body = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = job.Metadata.Uid, ["annotations"] = new JsonObject { [Annotations.Cancel] = "true" } } };
            await api.PatchAsync<TrainingJob>(job.Key(), new Patch(PatchKind.Merge, body) { FieldManager = Names.FieldManager }, ct);
        }

        foreach (var service in plan.EndServices) await api.DeleteAsync<InferenceService>(service.Key(), new Deletion { Uid = service.Metadata.Uid }, ct);
        foreach (var job in plan.Delete) await api.DeleteAsync<TrainingJob>(job.Key(), new Deletion { Uid = job.Metadata.Uid }, ct);
        if (plan.RemoveFinalizer) await SetFinalizersAsync(group, [.. group.Metadata.Finalizers!.Where(name => name != Names.GroupFinalizer)], ct);
    }

    private Task SetFinalizersAsync(JobGroup group, IEnumerable<string> finalizers, CancellationToken ct)
    {
        var metadata = new JsonObject { ["resourceVersion"] = group.Metadata.ResourceVersion, ["finalizers"] = new JsonArray([.. finalizers.Select(name => (JsonNode)name)]) };
        return api.PatchAsync<JobGroup>(group.Key(), new Patch(PatchKind.Merge, new JsonObject { ["metadata"] = metadata }) { FieldManager = Names.FieldManager }, ct);
    }

    private static string Text(JobGroupStatus? status) => status is null ? "" : JsonSerializer.Serialize(status, TrestleJson.Default.JobGroupStatus);
}
