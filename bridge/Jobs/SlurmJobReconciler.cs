using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Clusters;
using Trestle.Bridge.Login;
using Trestle.Bridge.Slurm;
using Trestle.Runtime;

namespace Trestle.Bridge.Jobs;

/// <summary>Looks at a job and at what the poller saw of it, plans, writes the status once and then does what is to do.</summary>
/// <param name="jobs">All jobs.</param>
/// <param name="sessions">The clusters that this process serves.</param>
/// <param name="parts">What all sessions have in common.</param>
[EntityRbac("", "secrets", "get")]
[EntityRbac(ApiGroup.Name, "slurmjobs", "patch")]
[EntityRbac(ApiGroup.Name, "slurmjobs/status", "update")]
internal sealed class SlurmJobReconciler(IObjectCache<SlurmJob> jobs, ClusterSessions sessions, BridgeParts parts) : IReconciler
{
    private static readonly TimeSpan Lag = TimeSpan.FromMilliseconds(200);
    private readonly ConcurrentDictionary<ObjectKey, AttemptMemory> _memories = [];

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (jobs.Find(key) is not { } job)
        {
            _memories.TryRemove(key, out _);
            return null;
        }

        if (sessions.Of(job.Spec.Cluster) is not { } session) return await WithoutClusterAsync(job, ct);
        var memory = Remember(job, session);
        if (memory.IsStale(job)) return Lag;
        try
        {
            return await CarryOutAsync(job, memory, session, ct);
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            return Lag; // the watch is on its way with what is newer
        }
    }

    // Another replica may serve the cluster; of one that is not there every replica says the same.
    private async Task<TimeSpan?> WithoutClusterAsync(SlurmJob job, CancellationToken ct)
    {
        var draft = new StatusDraft(job, parts.Time.GetUtcNow());
        if (sessions.IsThere(job.Spec.Cluster) || job.IsDeleting() || draft.HasEnded) return null;
        draft.Say(draft.Status.Phase ?? SlurmJobPhase.Pending, "NoCluster", $"there is no SlurmCluster {job.Spec.Cluster}; create it or change the job's placement");
        if (draft.Changed is not { } status) return null;
        try
        {
            await parts.Api.ReplaceStatusAsync(new SlurmJob { Metadata = job.Metadata, Spec = job.Spec, Status = status }, ct);
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            // Another replica was faster.
        }

        return null;
    }

    private async Task<TimeSpan?> CarryOutAsync(SlurmJob job, AttemptMemory memory, ClusterSession session, CancellationToken ct)
    {
        var user = session.UserOf(job.Metadata.NamespaceProperty);
        var now = Moment.Of(parts.Time);
        if (JobConditions.Since(job.Status, JobConditions.Cancelling) is { } told) memory.TermSent ??= now.Then(told); // by a process before this one
        var scene = new JobScene(job, memory.Submission)
        {
            Refusal = RefusalOf(job, session, user),
            Sighting = job.Status?.JobId is { } id ? user?.Poller.View.Of(id) ?? (user is null ? new OutOfSight(NobodyThere(job)) : null) : null,
            TermSent = memory.TermSent,
            LastCancel = memory.LastCancel,
            LastPreflight = memory.LastPreflight,
            Estimate = memory.Estimate,
        };
        var plan = SlurmJobPlanner.Plan(scene, now);
        if (plan.Status is not null) parts.Fail.At("status.planned");
        if (plan.Status is { Phase: SlurmJobPhase.Failed, JobId: not null, Exit: null } ended && user is not null && !await ReadExitAsync(job, ended, session, user, ct)) return SlurmJobPlanner.BetweenCancels;
        if (plan.Status is not null) job = await WriteAsync(job, plan.Status, memory, ct);
        return plan.Effect == JobEffect.None || (user is null && plan.Effect != JobEffect.AddFinalizer) ? plan.Again : await DoAsync(plan, job, memory, session, user!, ct) ?? plan.Again;
    }

    // Before the end is told, since nobody asks after it. False: no contact, and the end is told when there is.
    private async Task<bool> ReadExitAsync(SlurmJob job, SlurmJobStatus ended, ClusterSession session, UserSession user, CancellationToken ct)
    {
        if (session.Root is not { } root || AttemptKey.Of(job.Spec) is not { } key) return true;
        try
        {
            parts.Fail.At("exit.reading");
            var left = ExitRecord.Read((await user.Node.RunAsync(ExitRecord.Script(root, key), ct)).Output);
            (ended.Exit, ended.Checkpoint) = (left.Exit, left.Checkpoint);
            if (ended.Reason == "Failed") ended.Reason = left.Why ?? ended.Reason;
            parts.Fail.At("exit.read");
            return true;
        }
        catch (ContactLostException)
        {
            return false;
        }
    }

    private async Task<SlurmJob> WriteAsync(SlurmJob job, SlurmJobStatus status, AttemptMemory memory, CancellationToken ct)
    {
        parts.Fail.At("status.writing");
        var written = await parts.Api.ReplaceStatusAsync(new SlurmJob { Metadata = job.Metadata, Spec = job.Spec, Status = status }, ct);
        parts.Fail.At("status.written");
        memory.Wrote(job, written);
        parts.Fail.At("status.noted");
        if (job.Status?.JobId is null && status.JobId is { } id) BridgeLog.Submitted(parts.Log, job.Key(), id);
        return written;
    }

    private async Task<TimeSpan?> DoAsync(JobPlan plan, SlurmJob job, AttemptMemory memory, ClusterSession session, UserSession user, CancellationToken ct)
    {
        try
        {
            switch (plan.Effect)
            {
                case JobEffect.AddFinalizer:
                    parts.Fail.At("finalizer.adding");
                    await SetFinalizersAsync(job, memory, [.. job.Metadata.Finalizers ?? [], Names.SlurmJobFinalizer], ct);
                    parts.Fail.At("finalizer.added");
                    memory.Begin();
                    return null;
                case JobEffect.Submit or JobEffect.Close:
                    return await SendAsync(plan.Effect, job, memory, user, ct);
                case JobEffect.Preflight:
                    memory.LastPreflight = Moment.SteadyOf(parts.Time);
                    if (await user.PreflightLine.WaitAsync(TimeSpan.Zero, ct)) _ = PreflightAsync(job, memory, user, ct);
                    return null;
                case JobEffect.TermSteps:
                    memory.TermSent = Moment.SteadyOf(parts.Time);
                    BridgeLog.Ending(parts.Log, job.Key(), job.Status!.JobId!, "TERM to its steps");
                    await RunAsync(user, "term", CancelScript.TermSteps(job.Status.JobId!), ct);
                    return null;
                case JobEffect.Cancel:
                    memory.LastCancel = Moment.SteadyOf(parts.Time);
                    BridgeLog.Ending(parts.Log, job.Key(), job.Status!.JobId!, "scancel");
                    await RunAsync(user, "cancel", CancelScript.Cancel(session.Root ?? "/nonexistent", AttemptKey.Of(job.Spec)!, job.Status.JobId!), ct);
                    return null;
                default:
                    return await CleanAsync(job, memory, session, user, ct);
            }
        }
        catch (ContactLostException) when (plan.Effect is not (JobEffect.Submit or JobEffect.Close))
        {
            return SlurmJobPlanner.BetweenCancels; // the poller tells of the lost contact
        }
    }

    private async Task<TimeSpan?> SendAsync(JobEffect effect, SlurmJob job, AttemptMemory memory, UserSession user, CancellationToken ct)
    {
        var request = new SubmissionRequest(AttemptKey.Of(job.Spec)!, job.Spec.JobUid, effect == JobEffect.Close ? SubmissionWish.Close : SubmissionWish.Submit)
        {
            Try = memory.Submission.Try,
            IsFirst = memory.Submission.IsFirst,
        };
        if (effect == JobEffect.Submit)
        {
            parts.Fail.At("secrets.reading");
            if (await SecretsAsync(job, ct) is not { } secrets)
            {
                memory.Hear(new Blocked("a Secret of spec.secretRefs is not there; create it"), Moment.SteadyOf(parts.Time));
                return Lag;
            }

            request = request with { Script = job.Spec.Script, Options = job.Spec.Options ?? [], Secrets = SecretFile.Text(secrets) };
        }

        parts.Fail.At("submit.queueing");
        memory.Sent();
        var key = job.Key();
        user.Lane.Send(request, answer =>
        {
            BridgeMeter.Answered(answer);
            memory.Hear(answer, Moment.SteadyOf(parts.Time));
            parts.Fail.At("submit.noted");
            parts.JobChanged(key);
        });
        parts.Fail.At("submit.queued");
        return null;
    }

    private async Task PreflightAsync(SlurmJob job, AttemptMemory memory, UserSession user, CancellationToken ct)
    {
        try
        {
            await user.PreflightTurn.WaitAsync(ct);
            try
            {
                memory.Estimate = StartEstimate.Read(Encoding.UTF8.GetString((await user.Node.RunAsync(StartEstimate.Script(job.Spec.Options ?? []), ct)).Output.Span));
                parts.JobChanged(job.Key());
            }
            finally
            {
                user.PreflightTurn.Release();
            }
        }
        catch (Exception error) when (error is ContactLostException or OperationCanceledException)
        {
            // It is asked again; the poller tells of the lost contact.
        }
        finally
        {
            user.PreflightLine.Release();
        }
    }

    private async Task<TimeSpan?> CleanAsync(SlurmJob job, AttemptMemory memory, ClusterSession session, UserSession user, CancellationToken ct)
    {
        if (session.Root is { } root && AttemptKey.Of(job.Spec) is { } key)
        {
            var output = await RunAsync(user, "clean", CancelScript.Clean(root, key, job.Spec.JobUid), ct);
            if (Encoding.UTF8.GetString(output.Output.Span).Trim() != "done") return SlurmJobPlanner.DefaultGrace;
        }

        parts.Fail.At("finalizer.removing");
        await SetFinalizersAsync(job, memory, (job.Metadata.Finalizers ?? []).Where(name => name != Names.SlurmJobFinalizer), ct);
        parts.Fail.At("finalizer.removed");
        return null;
    }

    private async Task<CommandOutput> RunAsync(UserSession user, string point, string script, CancellationToken ct)
    {
        parts.Fail.At($"{point}.sending");
        var running = user.Node.RunAsync(script, ct);
        parts.Fail.At($"{point}.underway");
        var output = await running;
        parts.Fail.At($"{point}.answered");
        return output;
    }

    private async Task SetFinalizersAsync(SlurmJob job, AttemptMemory memory, IEnumerable<string> names, CancellationToken ct)
    {
        var metadata = new JsonObject
        {
            ["resourceVersion"] = job.Metadata.ResourceVersion,
            ["finalizers"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]),
        };
        var patched = await parts.Api.PatchAsync<SlurmJob>(job.Key(), new Patch(PatchKind.Merge, new JsonObject { ["metadata"] = metadata }), ct);
        memory.Wrote(job, patched);
    }

    // Null when one is missing.
    private async Task<IReadOnlyList<V1Secret>?> SecretsAsync(SlurmJob job, CancellationToken ct)
    {
        var secrets = new List<V1Secret>();
        foreach (var reference in job.Spec.SecretRefs ?? [])
        {
            if (await parts.Api.FindAsync<V1Secret>(new ObjectKey(job.Metadata.NamespaceProperty, reference.Name), ct) is not { } secret) return null;
            secrets.Add(secret);
        }

        return secrets;
    }

    private static string? RefusalOf(SlurmJob job, ClusterSession session, UserSession? user)
    {
        if (user is null) return NobodyThere(job);
        if (session.Root is null) return $"spec.workRoot of SlurmCluster {job.Spec.Cluster} must be ~ or an absolute path of letters, digits and ._+=@-; change it";
        if (AttemptKey.Of(job.Spec) is null) return "spec.jobUid must begin with 8 letters or digits";
        if (job.Spec.Script.Contains('\0', StringComparison.Ordinal)) return "spec.script has a NUL; remove it";
        return SbatchOptions.Refusal(job.Spec.Options);
    }

    private static string NobodyThere(SlurmJob job) =>
        $"namespace {job.Metadata.NamespaceProperty} is nobody on SlurmCluster {job.Spec.Cluster}; an administrator has to add it to spec.users there";

    private AttemptMemory Remember(SlurmJob job, ClusterSession session) => _memories.AddOrUpdate(
        job.Key(),
        _ => new AttemptMemory(job.Metadata.Uid, session),
        (_, known) => known.IsOf(job, session) ? known : new AttemptMemory(job.Metadata.Uid, session));
}
