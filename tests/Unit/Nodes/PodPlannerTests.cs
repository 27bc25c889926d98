using CsCheck;
using k8s.Models;
using Trestle.Local.Nodes.Pods;

namespace Trestle.Local.Nodes.Tests;

public sealed class PodPlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Init_containers_run_one_after_the_other_before_the_main_one()
    {
        var model = new Model(new APod().Init("a").Init("b").Main("main").Build());
        model.Starts().ShouldBe(["a"]);
        model.Exit("a", 0);
        model.Starts().ShouldBe(["b"]);
        model.Exit("b", 0);
        model.Starts().ShouldBe(["main"]);
        model.Plan().Status.Phase.ShouldBe("Running");
    }

    [Fact]
    public void A_sidecar_only_has_to_start_and_is_stopped_after_the_main_containers()
    {
        var model = new Model(new APod().Sidecar("proxy").Main("main").Build());
        model.Starts().ShouldBe(["proxy"]);
        model.Starts().ShouldBe(["main"]);
        model.Exit("main", 0);
        model.Plan().Steps.ShouldHaveSingleItem().ShouldBeOfType<StopContainer>().Container.ShouldBe("proxy");
        model.Plan().Status.Phase.ShouldBe("Running");
        model.Exit("proxy", 143);
        var end = model.Plan();
        end.Status.Phase.ShouldBe("Succeeded");
        end.Done.ShouldBeTrue();
    }

    [Fact]
    public void A_readiness_gate_counts_as_it_is_on_the_server_and_not_as_it_was_seen_before()
    {
        V1PodCondition[] published = [new() { Type = "Ready", Status = "False" }, new() { Type = "example.dev/gate", Status = "False" }, new() { Type = "DisruptionTarget", Status = "True" }];
        V1PodCondition[] served = [new() { Type = "Ready", Status = "True" }, new() { Type = "example.dev/gate", Status = "True" }];
        PodStatusBuilder.Present(published, served).Select(condition => $"{condition.Type} {condition.Status}").ShouldBe(["Ready False", "DisruptionTarget True", "example.dev/gate True"]);
    }

    [Fact]
    public void A_failed_init_container_fails_a_pod_that_never_restarts()
    {
        var model = new Model(new APod().Init("setup").Main("main").Build());
        model.Starts();
        model.Exit("setup", 3);
        var plan = model.Plan();
        plan.Steps.ShouldBeEmpty();
        plan.Status.Phase.ShouldBe("Failed");
        plan.Status.InitContainerStatuses[0].State.Terminated.ExitCode.ShouldBe(3);
    }

    [Fact]
    public void A_failing_container_that_may_restart_backs_off_in_doubling_steps()
    {
        var model = new Model(new APod().Policy("OnFailure").Main("main").Build());
        var waits = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            model.Starts().ShouldBe(["main"]);
            model.Exit("main", 1);
            var plan = model.Plan();
            plan.Steps.ShouldBeEmpty();
            plan.Status.ContainerStatuses[0].State.Waiting.Reason.ShouldBe("CrashLoopBackOff");
            waits.Add((plan.WakeAt!.Value - model.Now).TotalSeconds);
            model.Now = plan.WakeAt.Value;
        }

        waits.ShouldBe([10, 20, 40, 80, 160, 300, 300]);
    }

    [Fact]
    public void A_deleted_pod_stops_its_main_containers_first_and_is_done_when_all_are_gone()
    {
        var model = new Model(new APod().Sidecar("proxy").Main("main").Build());
        model.Starts();
        model.Starts();
        model.Pod.Metadata.DeletionTimestamp = Now.AddSeconds(30).UtcDateTime;
        model.Plan().Steps.ShouldBe([new StopContainer("main", Now.AddSeconds(30))]);
        model.Exit("main", 143);
        model.Plan().Steps.ShouldBe([new StopContainer("proxy", Now.AddSeconds(30))]);
        model.Exit("proxy", 137);
        model.Plan().Done.ShouldBeTrue();
    }

    [Fact]
    public void An_evicted_pod_fails_with_the_disruption_condition()
    {
        var model = new Model(new APod().Main("main").Build()) { Cause = new StopCause("Terminated", "node is going", Now, "TerminationByKubelet") };
        model.Plan().Done.ShouldBeTrue();
        var status = model.Plan().Status;
        status.Phase.ShouldBe("Failed");
        status.Reason.ShouldBe("Terminated");
        status.Conditions.ShouldContain(c => c.Type == "DisruptionTarget" && c.Status == "True" && c.Reason == "TerminationByKubelet");
    }

    [Fact]
    public void A_pod_over_its_deadline_is_stopped()
    {
        var pod = new APod().Main("main").With(p => p.Spec.ActiveDeadlineSeconds = 60).Build();
        var model = new Model(pod);
        model.Starts();
        pod.Status = new V1PodStatus { Phase = "Running", StartTime = Now.UtcDateTime };
        model.Plan().WakeAt.ShouldBe(Now.AddSeconds(60));
        model.Now = Now.AddSeconds(61);
        model.Plan().Steps.ShouldHaveSingleItem().ShouldBeOfType<StopContainer>();
        model.Exit("main", 143);
        model.Plan().Status.Reason.ShouldBe("DeadlineExceeded");
    }

    [Fact]
    public void A_condition_keeps_its_time_until_its_status_changes()
    {
        var model = new Model(new APod().Main("main").Build());
        model.Pod.Status = model.Plan().Status;
        model.Now = Now.AddMinutes(1);
        model.Starts();
        model.Pod.Status = model.Plan().Status;
        var ready = model.Pod.Status.Conditions.Single(c => c.Type == "Ready");
        (ready.Status, ready.LastTransitionTime).ShouldBe(("True", Now.AddMinutes(1).UtcDateTime));
        model.Pod.Status.Conditions.Single(c => c.Type == "PodScheduled").LastTransitionTime.ShouldBe(Now.UtcDateTime);
    }

    [Fact]
    public void Whatever_containers_do_the_pod_ends_as_its_restart_policy_says()
    {
        var shape = Gen.Select(Gen.OneOf("Never", "OnFailure", "Always"), Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[1, 3]);
        var moves = Gen.Select(Gen.Int[0, 9], Gen.OneOf(0, 0, 0, 1, 137)).Array[1, 60];
        Gen.Select(shape, moves).Sample((s, m) => Play(s.Item1, s.Item2, s.Item3, s.Item4, m), iter: 3000);
    }

    private static void Play(string policy, int inits, int sidecars, int mains, (int Which, int Code)[] moves)
    {
        var build = new APod().Policy(policy);
        for (var i = 0; i < sidecars; i++) build.Sidecar($"s{i}");
        for (var i = 0; i < inits; i++) build.Init($"i{i}");
        for (var i = 0; i < mains; i++) build.Main($"m{i}");
        var model = new Model(build.Build());
        string? ended = null;
        foreach (var (which, code) in moves)
        {
            var plan = model.Take();
            if (ended is not null) plan.Status.Phase.ShouldBe(ended);
            if (plan.Status.Phase is "Succeeded" or "Failed")
            {
                ended = plan.Status.Phase;
                plan.Steps.Any(st => st is StartContainer).ShouldBeFalse();
                policy.ShouldNotBe("Always");
            }

            model.Pod.Status = plan.Status;
            var running = model.Running();
            if (running.Count > 0) model.Exit(running[which % running.Count], code);
            else if (plan.WakeAt is { } wake) model.Now = wake;
            else if (ended is null) plan.Steps.ShouldNotBeEmpty("nothing runs, nothing is planned and nothing will wake it");
        }

        if (ended == "Succeeded") model.Slots.Values.Where(s => s.Name[0] == 'm').All(s => s.Exit!.Code == 0).ShouldBeTrue();
        if (ended == "Failed") model.Slots.Values.Any(s => s.Name[0] is 'm' or 'i' && s.Exit is { Code: not 0 }).ShouldBeTrue();
    }

    /// <summary>Carries out plans at once, as a perfect agent would.</summary>
    private sealed class Model
    {
        public Model(V1Pod pod)
        {
            Pod = pod;
            foreach (var container in pod.Spec.InitContainers.Concat(pod.Spec.Containers)) Slots[container.Name] = new ContainerSlot(container.Name);
        }

        public V1Pod Pod { get; }

        public DateTimeOffset Now { get; set; } = PodPlannerTests.Now;

        public StopCause? Cause { get; init; }

        public Dictionary<string, ContainerSlot> Slots { get; } = [];

        public PodPlan Plan() => PodPlanner.Plan(new PodObservation(Pod, Slots, Now, "127.20.0.1", "127.0.0.1", Cause));

        public PodPlan Take()
        {
            var plan = Plan();
            foreach (var step in plan.Steps)
            {
                var slot = Slots[step.Container];
                if (step is StartContainer start)
                {
                    slot.Phase.ShouldNotBe(ContainerPhase.Running);
                    Slots[step.Container] = slot with { Phase = ContainerPhase.Running, Restarts = start.Restart, StartedAt = Now, Started = true, Ready = true, Previous = slot.Exit, Exit = null };
                }
                else
                {
                    Exit(step.Container, 143);
                }
            }

            return plan.Steps.Count > 0 ? plan with { Status = Plan().Status } : plan;
        }

        public IReadOnlyList<string> Starts()
        {
            var starts = Plan().Steps.OfType<StartContainer>().Select(s => s.Container).ToList();
            Take();
            return starts;
        }

        public List<string> Running() => [.. Slots.Values.Where(s => s.Phase == ContainerPhase.Running).Select(s => s.Name)];

        public void Exit(string name, int code) => Slots[name] = Slots[name] with { Phase = ContainerPhase.Exited, Exit = new ContainerExit(code, code == 0 ? "Completed" : "Error", null, Slots[name].StartedAt, Now) };
    }
}
