using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class FailuresTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly TrainingJob Job = AJob.Named().Build();
    private static readonly Recovery Rules = new() { MaxRestarts = 3, RecoverOnExitCodes = [75], FailOnExitCodes = [2] };

    public static TheoryData<string, FailureCause, ExitStage?, string> Table => new()
    {
        { "exit 1", FailureCause.User, ExitStage.Run, "RunFailed" },
        { "exit 75", FailureCause.Recoverable, ExitStage.Run, "RunFailed" },
        { "exit 2", FailureCause.Final, ExitStage.Run, "RunFailed" },
        { "setup", FailureCause.User, ExitStage.Setup, "SetupFailed" },
        { "setup 2", FailureCause.Final, ExitStage.Setup, "SetupFailed" },
        { "out of memory", FailureCause.User, ExitStage.Run, "OutOfMemory" },
        { "bad image", FailureCause.User, ExitStage.Start, "StartFailed" },
        { "missing secret", FailureCause.User, ExitStage.Start, "StartFailed" },
        { "copy", FailureCause.User, ExitStage.Start, "StartFailed" },
        { "rendezvous", FailureCause.Infrastructure, null, "RendezvousFailed" },
        { "evicted", FailureCause.Infrastructure, null, "Evicted" },
        { "out of cpu", FailureCause.Unplaced, null, "OutOfcpu" },
        { "no longer fits", FailureCause.Unplaced, null, "NodeAffinity" },
        { "no device", FailureCause.Unplaced, null, "UnexpectedAdmissionError" },
        { "taint", FailureCause.Infrastructure, null, "DeletionByTaintManager" },
        { "taint after exit 1", FailureCause.Infrastructure, null, "DeletionByTaintManager" },
        { "taint after exit 0", FailureCause.Infrastructure, null, "DeletionByTaintManager" },
        { "deleted", FailureCause.Infrastructure, null, "PodDeleted" },
        { "unknown", FailureCause.Infrastructure, null, "NodeLost" },
        { "failed without a word", FailureCause.Infrastructure, null, "PodFailed" },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void The_cause_follows_from_what_the_pod_shows(string fate, FailureCause cause, ExitStage? stage, string reason)
    {
        var failure = Failures.Of(Rules, Pod(fate)).ShouldNotBeNull();
        (failure.Cause, failure.Stage, failure.Reason).ShouldBe((cause, stage, reason));
        failure.Message.ShouldStartWith(reason == "PodDeleted" ? "the pod of rank 0" : "rank 0");
    }

    [Fact]
    public void What_runs_waits_or_has_ended_well_has_not_failed()
    {
        PodView[] fine = [APod.Of(Job).Gated().Build(), APod.Of(Job).Running().Build(), APod.Of(Job).Succeeded().Build(), APod.Of(Job).Waiting("PodInitializing").Build()];
        fine.ShouldAllBe(pod => Failures.Of(Rules, pod) == null);
        Failures.First(Rules, fine, new HashSet<string> { "n1" }).ShouldBeNull("a node out of reach is no failure by itself");
    }

    [Fact]
    public void The_first_to_end_is_the_one_to_tell_of()
    {
        PodView[] pods = [APod.Of(Job, 0).Exited(1, at: Noon.AddSeconds(2)).Build(), APod.Of(Job, 1).Exited(3, at: Noon).Build()];
        var failure = Failures.First(Rules, pods, new HashSet<string>()).ShouldNotBeNull();
        (failure.Rank, failure.Code).ShouldBe((1, 3));
    }

    [Fact]
    public void In_the_same_second_an_exit_code_with_a_meaning_is_the_cause()
    {
        PodView[] pods = [APod.Of(Job, 0).Exited(1, at: Noon).Build(), APod.Of(Job, 1).Exited(75, at: Noon).Build()];
        Failures.First(Rules, pods, new HashSet<string>()).ShouldNotBeNull().Code.ShouldBe(75);
    }

    [Theory]
    [InlineData("Always", null)]
    [InlineData(null, "StartFailed")]
    public void How_a_sidecar_ends_means_nothing(string? restartPolicy, string? reason)
    {
        var pod = APod.Of(Job).InitExited("proxy", 143, "").Phase("Succeeded").With(pod => pod.Spec.InitContainers = [new ContainerView { Name = "proxy", RestartPolicy = restartPolicy }]);
        Failures.Of(Rules, pod.Build())?.Reason.ShouldBe(reason);
    }

    [Fact]
    public void A_lost_node_is_the_cause_when_its_peers_fail()
    {
        PodView[] pods = [APod.Of(Job, 0).Exited(1, at: Noon, node: "n1").Build(), APod.Of(Job, 1).Running("n2").Build()];
        var failure = Failures.First(Rules, pods, new HashSet<string> { "n2" }).ShouldNotBeNull();
        (failure.Cause, failure.Rank, failure.Node).ShouldBe((FailureCause.Infrastructure, 1, "n2"));
    }

    [Fact]
    public void A_disruption_comes_before_an_earlier_exit_of_a_peer()
    {
        PodView[] pods = [APod.Of(Job, 0).Exited(1, at: Noon).Build(), APod.Of(Job, 1).Running("n2").Disrupted("PreemptionByScheduler").Build()];
        Failures.First(Rules, pods, new HashSet<string>()).ShouldNotBeNull().Reason.ShouldBe("PreemptionByScheduler");
    }

    [Fact]
    public void The_output_is_cut_at_what_the_status_holds() =>
        Failures.Of(Rules, APod.Of(Job).Exited(1, new string('x', 10_000)).Build()).ShouldNotBeNull().Output!.Length.ShouldBe(4096);

    private static PodView Pod(string fate)
    {
        var pod = APod.Of(Job);
        return (fate switch
        {
            "exit 1" => pod.Exited(1, "boom"),
            "exit 75" => pod.Exited(75),
            "exit 2" => pod.Exited(2),
            "setup" => pod.Exited(1, "trestle: setup failed with exit code 1\nno such package"),
            "setup 2" => pod.Exited(2, "trestle: setup failed with exit code 2\n"),
            "out of memory" => pod.Exited(137, reason: "OOMKilled"),
            "bad image" => pod.Waiting("ImagePullBackOff", "no such image"),
            "missing secret" => pod.Waiting("CreateContainerConfigError", "secret wandb not found"),
            "copy" => pod.InitExited("copy", 1, "no space"),
            "rendezvous" => pod.InitExited(Names.RendezvousContainer, 1, "410"),
            "evicted" => pod.Exited(137).Rejected("Evicted", "the node is low on memory"),
            "out of cpu" => pod.Rejected("OutOfcpu", "Node didn't have enough resource: cpu"),
            "no longer fits" => pod.Rejected("NodeAffinity", "Predicate NodeAffinity failed"),
            "no device" => pod.Rejected("UnexpectedAdmissionError", "Allocate failed due to no healthy devices"),
            "taint" => pod.Running().Disrupted("DeletionByTaintManager").Terminating(Noon),
            "taint after exit 1" => pod.Exited(1).Disrupted("DeletionByTaintManager"),
            "taint after exit 0" => pod.Succeeded().Disrupted("DeletionByTaintManager"),
            "deleted" => pod.Running().Terminating(Noon),
            "unknown" => pod.Running().Phase("Unknown"),
            "failed without a word" => pod.Phase("Failed"),
            _ => throw new ArgumentOutOfRangeException(nameof(fate)),
        }).Build();
    }
}
