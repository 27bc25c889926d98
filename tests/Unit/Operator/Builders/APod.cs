using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Builders;

/// <summary>A pod of a job as a sentence: <c>APod.Of(job, rank: 1).On("n1").Exited(1).Build()</c>.</summary>
internal sealed class APod
{
    private readonly PodView _pod = new() { Status = new PodViewStatus { Phase = "Pending" } };

    private APod(TrainingJob job, int rank, int attempt) => _pod.Metadata = new V1ObjectMeta
    {
        Name = Names.Pod(job.Metadata.Name, rank, attempt),
        NamespaceProperty = job.Metadata.NamespaceProperty,
        Uid = $"pod-{job.Metadata.Name}-{rank}-{attempt}",
        Labels = new Dictionary<string, string>
        {
            [Labels.JobUid] = job.Metadata.Uid,
            [Labels.Attempt] = attempt.ToString(CultureInfo.InvariantCulture),
            [Labels.Rank] = rank.ToString(CultureInfo.InvariantCulture),
        },
    };

    public static APod Of(TrainingJob job, int rank = 0, int attempt = 1) => new(job, rank, attempt);

    public APod Gated() => With(pod => pod.Spec.SchedulingGates = [new PodSchedulingGateView { Name = Names.AdmissionGate }]);

    public APod On(string node) => With(pod => pod.Spec.NodeName = node);

    public APod Running(string node = "n1") => On(node).Phase("Running").Main(new ContainerStateView { Running = new RunningView() });

    public APod Waiting(string reason, string? message = null) => On("n1").Main(new ContainerStateView { Waiting = new WaitingView { Reason = reason, Message = message } });

    public APod Succeeded(DateTimeOffset? at = null) => On("n1").Phase("Succeeded").Main(new ContainerStateView { Terminated = new TerminatedView { FinishedAt = at?.UtcDateTime } });

    public APod Exited(int code, string? message = null, string? reason = "Error", DateTimeOffset? at = null, string node = "n1") => On(node).Phase("Failed").Main(new ContainerStateView
    {
        Terminated = new TerminatedView { ExitCode = code, Message = message, Reason = reason, FinishedAt = at?.UtcDateTime },
    });

    public APod InitExited(string container, int code, string message) => On("n1").Phase("Failed").With(pod => pod.Status!.InitContainerStatuses =
    [
        new ContainerStatusView { Name = container, State = new ContainerStateView { Terminated = new TerminatedView { ExitCode = code, Message = message } } },
    ]);

    public APod Disrupted(string reason) => With(pod => pod.Status!.Conditions = [new PodConditionView { Type = "DisruptionTarget", Status = "True", Reason = reason }]);

    public APod Rejected(string reason, string message) => On("n1").Phase("Failed").With(pod => (pod.Status!.Reason, pod.Status.Message) = (reason, message));

    public APod Terminating(DateTimeOffset at) => With(pod => pod.Metadata.DeletionTimestamp = at.UtcDateTime);

    public APod Phase(string phase) => With(pod => pod.Status!.Phase = phase);

    public APod With(Action<PodView> change)
    {
        change(_pod);
        return this;
    }

    public PodView Build() => _pod;

    private APod Main(ContainerStateView state) =>
        With(pod => pod.Status!.ContainerStatuses = [new ContainerStatusView { Name = Names.MainContainer, State = state }]);
}
