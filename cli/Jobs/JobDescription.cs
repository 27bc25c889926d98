using System.Text;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Output;
using Trestle.Operator.InferenceServices;

namespace Trestle.Cli.Jobs;

/// <summary>A job, group or service as a page of text.</summary>
/// <param name="now">For ages.</param>
/// <param name="namespaceHint">" -n NAME" when the commands at the end need it, else "".</param>
internal sealed class JobDescription(DateTime now, string namespaceHint)
{
    private const int EventLimit = 20;
    private readonly StringBuilder _text = new();

    /// <summary>The page.</summary>
    /// <param name="found">What it is about.</param>
    /// <param name="members">Jobs of a group.</param>
    /// <param name="events">Events of it.</param>
    /// <param name="attempts">Executions on Slurm.</param>
    public string Render(FoundJob found, IReadOnlyList<TrainingJob> members, IReadOnlyList<Corev1Event> events, IReadOnlyList<SlurmJob> attempts)
    {
        var meta = found.Object.Metadata;
        _text.Append($"{found.Label}\n");
        Line("Namespace", meta.NamespaceProperty);
        Line("User", JobFacts.User(meta));
        Line("Created", meta.CreationTimestamp is { } created ? $"{created:yyyy-MM-dd HH:mm:ss}Z ({Ages.Short(now - created)} ago)" : "-");
        Line("Status", found.Phase);
        Line(found.HasEnded ? "How" : "Why", found.Message);
        if (found.Object is TrainingJob job)
        {
            Job(job, attempts);
        }
        else if (found.Object is InferenceService service)
        {
            Service(service);
        }
        else
        {
            Members(members);
            Services(found.Object is JobGroup group ? ServiceTask.Of(group) : []);
        }

        Events(events);
        Next(found);
        return _text.ToString();
    }

    private void Job(TrainingJob job, IReadOnlyList<SlurmJob> attempts)
    {
        var status = job.Status;
        Line("Group", job.GroupName());
        Line("Needs", Needs(job.NodeCount(), job.Spec.Resources));
        Line("Image", job.Spec.Image);
        Line("Placement", job.Backend() + (status?.Placement?.Slurm?.JobId is { } id ? $", Slurm job {id}" : ""));
        Line("Queue", status?.Queue is { } queue && !job.HasEnded() && queue.Position is { } position ? $"position {position}" : null);
        Line("Attempt", status?.Attempt is > 0 ? Attempt(status) : null);
        Timeline(status?.Timeline);
        Line("Checkpoint", Checkpoint(status?.Checkpoint));
        Exit(status?.Exit);
        Slurm(attempts);
        Ranks(status?.Nodes?.Ranks);
        Section("Mounts", job.Spec.Mounts is { Count: > 0 } mounts
            ? new TextTable([new("PATH"), new("FROM"), new("MODE")], [.. mounts.Select(mount => new[] { mount.Path, mount.Storage ?? mount.Source ?? "-", mount.Mode?.ToString() ?? "-" })])
            : null);
    }

    private void Service(InferenceService service)
    {
        var (spec, status) = (service.Spec, service.Status);
        Line("Group", service.TaskGroup);
        Line("URL", status?.Url);
        Line("Weights URL", status?.WeightsUrl);
        Line("Model", spec.Model.ServedName is { } name ? $"{spec.Model.Uri} as {name}" : spec.Model.Uri);
        Line("Replicas", $"{status?.ReadyReplicas ?? 0}/{service.WantedReplicas()} ready");
        Line("Needs", $"{Needs(service.NodesPerReplica, spec.Resources)}, for one replica");
        Line("Version", status?.Weights?.ServingVersion);
        Line("Requests", status?.Load is { } load ? $"{load.Running ?? 0} running, {load.Waiting ?? 0} waiting" : null);
        Section("Replicas", status?.ReplicaStatuses is { Count: > 0 } replicas
            ? new TextTable(
                [new("POD"), new("STATE"), new("VERSION"), new("RESTARTS"), new("WHY")],
                [.. replicas.Select(replica => new[] { replica.Name, replica.State ?? "-", replica.Version ?? "-", (replica.Restarts ?? 0).ToString(), replica.Message ?? "-" })])
            : null);
    }

    private static string Needs(int nodes, Resources? resources)
    {
        string?[] parts =
        [
            nodes == 1 ? "1 node" : $"{nodes} nodes",
            resources?.Accelerators is { } gpus ? $"{gpus} each" : null,
            resources?.Cpus is { } cpus ? $"{cpus} CPUs" : null,
            resources?.Memory is { } memory ? $"{memory} memory" : null,
        ];
        return string.Join(", ", parts.Where(part => part is not null));
    }

    private string? Checkpoint(CheckpointStatus? checkpoint)
    {
        string?[] parts =
        [
            checkpoint?.Latest is { } latest ? checkpoint.DurableAt is { } at ? $"{latest}, durable for {Ages.Short(now - at)}" : latest : null,
            checkpoint?.PendingBytes > 0 ? $"{Sizes.Short(checkpoint.PendingBytes)} on their way to the storage" : null,
        ];
        return string.Join("; ", parts.OfType<string>()) is { Length: > 0 } text ? text : null;
    }

    private static string Attempt(TrainingJobStatus status)
    {
        var restarts = status.Restarts;
        return $"{status.Attempt} (restarts: {restarts?.Counted ?? 0} counted, {restarts?.Infrastructure ?? 0} infrastructure, {restarts?.Preempted ?? 0} preempted)";
    }

    private void Timeline(TrainingJobTimeline? timeline)
    {
        if (timeline is null)
        {
            return;
        }

        (string Name, DateTime? At)[] steps =
            [("queued", timeline.QueuedAt), ("admitted", timeline.AdmittedAt), ("started", timeline.StartedAt), ("finished", timeline.FinishedAt)];
        DateTime? before = null;
        var parts = new List<string>();
        foreach (var (name, at) in steps.Where(step => step.At is not null))
        {
            parts.Add(before is { } earlier ? $"{name} {at:HH:mm:ss} (+{Ages.Short(at!.Value - earlier)})" : $"{name} {at:HH:mm:ss}");
            before = at;
        }

        Line("Timeline", parts.Count == 0 ? null : string.Join(" → ", parts));
    }

    private void Exit(TrainingJobExit? exit)
    {
        if (exit is null)
        {
            return;
        }

        Line("Exit", $"rank {exit.Rank} ended with code {exit.Code} in {exit.Stage}");
        foreach (var line in (exit.Message ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            _text.Append($"    | {Printable.Line(line)}\n");
        }
    }

    private void Ranks(IReadOnlyList<RankStatus>? ranks) => Section("Ranks", ranks is { Count: > 0 }
        ? new TextTable(
            [new("RANK"), new("NODE"), new("POD"), new("IP"), new("STATE"), new("EXIT")],
            [.. ranks.Select(rank => new[] { rank.Rank.ToString(), rank.Node ?? "-", rank.Name ?? "-", rank.Ip ?? "-", rank.State?.ToString() ?? "-", rank.ExitCode?.ToString() ?? "-" })])
        : null);

    private void Slurm(IReadOnlyList<SlurmJob> attempts) => Section("Slurm", attempts.Count == 0 ? null : new TextTable(
        [new("ATTEMPT"), new("CLUSTER"), new("JOB"), new("STATE"), new("REASON"), new("STARTS"), new("NODES"), new("EXIT"), new("MESSAGE")],
        [
            .. attempts.OrderBy(attempt => attempt.Spec.Attempt).Select(attempt => new[]
            {
                attempt.Spec.Attempt?.ToString() ?? "-", attempt.Spec.Cluster, attempt.Status?.JobId ?? "-", attempt.Status?.State ?? "-", attempt.Status?.Reason ?? "-",
                (attempt.Status?.StartedAt ?? attempt.Status?.EstimatedStart) is { } start ? $"{start:yyyy-MM-dd HH:mm:ss}Z" : "-",
                attempt.Status?.Nodes is { Count: > 0 } nodes ? string.Join(' ', nodes) : "-",
                attempt.Status is { Signal: { } signal } ? $"signal {signal}" : attempt.Status?.ExitCode?.ToString() ?? "-",
                attempt.Status?.Message ?? "-",
            }),
        ]));

    private void Members(IReadOnlyList<TrainingJob> members) => Section("Jobs", members.Count == 0 ? null : new TextTable(
        [new("NAME"), new("STATUS"), new("GPUS"), new("RESTARTS"), new("REASON")],
        [.. members.Select(job => new[] { job.Metadata.Name, job.Phase(), job.Gpus().ToString(), job.RestartCount().ToString(), job.Why() })]));

    private void Services(IReadOnlyList<ServiceTask> services) => Section("Services", services.Count == 0 ? null : new TextTable(
        [new("NAME"), new("STATUS"), new("GPUS"), new("REASON")],
        [.. services.Select(service => new[] { service.Name, service.Status, service.Gpus.ToString(), service.Why })]));

    private void Events(IReadOnlyList<Corev1Event> events) => Section("Events", events.Count == 0 ? null : new TextTable(
        [new("AGE"), new("TYPE"), new("REASON"), new("MESSAGE")],
        [
            .. events.OrderBy(When).TakeLast(EventLimit).Select(happened => new[]
            {
                Ages.Short(now - When(happened)) + (happened.Count > 1 ? $" (x{happened.Count})" : ""),
                happened.Type ?? "-", happened.Reason ?? "-", happened.Message ?? "-",
            }),
        ]));

    private DateTime When(Corev1Event happened) =>
        happened.LastTimestamp ?? happened.EventTime ?? happened.FirstTimestamp ?? happened.Metadata.CreationTimestamp ?? now;

    private void Next(FoundJob found)
    {
        _text.Append("\nNext:\n");
        string[] commands = found.Object is InferenceService
            ? [$"trestle logs {found.Name} -f", $"kubectl port-forward svc/{found.Name} 8000", $"trestle cancel {found.Name}"]
            : found.HasEnded
            ? [$"trestle logs {found.Name}", $"trestle retry {found.Name}", $"trestle cancel {found.Name} --delete"]
            : [$"trestle logs {found.Name} -f", $"trestle cancel {found.Name}"];
        foreach (var command in commands)
        {
            _text.Append($"  {command}{namespaceHint}\n");
        }
    }

    private void Line(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            _text.Append($"  {name + ":",-12}{Printable.Line(value)}\n");
        }
    }

    private void Section(string title, TextTable? table)
    {
        if (table is null)
        {
            return;
        }

        _text.Append($"\n{title}:\n");
        foreach (var line in PlainTable.Render(table).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            _text.Append($"  {line}\n");
        }
    }
}
