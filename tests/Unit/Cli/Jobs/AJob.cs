using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Tests.Jobs;

/// <summary>A TrainingJob as a sentence: <c>AJob.Named("train").Nodes(4).Gpus("H100:8").Running().Build()</c>.</summary>
internal sealed class AJob
{
    public static readonly DateTime Noon = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);

    private readonly TrainingJob _job = new()
    {
        Metadata = new V1ObjectMeta
        {
            NamespaceProperty = "research",
            CreationTimestamp = Noon.AddMinutes(-10),
            Annotations = new Dictionary<string, string> { ["trestle.dev/user"] = "alice" },
        },
        Spec = new TrainingJobSpec { Run = "true" },
        Status = new TrainingJobStatus(),
    };

    public static AJob Named(string name)
    {
        var job = new AJob();
        job._job.Metadata.Name = name;
        job._job.Metadata.Uid = "uid-" + name;
        return job;
    }

    public AJob Nodes(int nodes) => With(() => _job.Spec.Nodes = nodes);

    public AJob Gpus(string accelerators) => With(() => _job.Spec.Resources = new Resources { Accelerators = accelerators });

    public AJob InGroup(string group) => With(() => _job.Spec.Group = group);

    public AJob CreatedAt(DateTime at) => With(() => _job.Metadata.CreationTimestamp = at);

    public AJob Phase(TrainingJobPhase phase, string message = "") => With(() =>
    {
        _job.Status!.Phase = phase;
        _job.Status.Message = message;
    });

    public AJob Queued(string why) => Phase(TrainingJobPhase.Queued).With(() => _job.Status!.Queue = new QueueStatus { Position = 1, Reason = why });

    public AJob Running(TimeSpan since) => Phase(TrainingJobPhase.Running, "4/4 nodes running on kubernetes")
        .With(() => _job.Status!.Timeline = new TrainingJobTimeline { QueuedAt = Noon - since, AdmittedAt = Noon - since, StartedAt = Noon - since });

    public AJob Ended(TrainingJobPhase phase, TimeSpan took, TimeSpan ago, int? code = null, string message = "") => Phase(phase, message).With(() =>
    {
        _job.Status!.Timeline = new TrainingJobTimeline { QueuedAt = Noon - ago - took, AdmittedAt = Noon - ago - took, StartedAt = Noon - ago - took, FinishedAt = Noon - ago };
        _job.Status.Exit = code is null ? null : new TrainingJobExit { Rank = 0, Code = code, Stage = ExitStage.Run, Message = message };
    });

    public AJob Restarted(int counted) => With(() => _job.Status!.Restarts = new RestartCounts { Counted = counted });

    public AJob Change(Action<TrainingJob> change) => With(() => change(_job));

    public TrainingJob Build() => _job;

    private AJob With(Action change)
    {
        change();
        return this;
    }
}
