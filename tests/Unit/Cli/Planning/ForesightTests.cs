using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Launching;
using Trestle.Cli.Planning;
using Trestle.Operator.Views;

namespace Trestle.Cli.Tests.Planning;

public sealed class ForesightTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_job_that_fits_would_start_on_these_nodes()
    {
        var job = Foresee(Scene(Node("n1"), Node("n2")), Job("train", nodes: 2)).Jobs.ShouldHaveSingleItem();
        job.Nodes.ShouldBe(["n1", "n2"]);
        job.Why.ShouldBeNull();
    }

    [Fact]
    public void A_job_that_does_not_fit_would_wait_for_what_is_missing()
    {
        var job = Foresee(Scene(Node("n1")), Job("train", nodes: 2)).Jobs.ShouldHaveSingleItem();
        (job.Nodes, job.WouldFail).ShouldBe((null, false));
        job.Why.ShouldBe("asks for 2 nodes with 8 H100 each; the cluster has 1 (position 1)");
    }

    [Fact]
    public void Tasks_of_a_group_would_start_together_or_wait_together()
    {
        var group = new JobGroup { Metadata = Meta("g"), Spec = new JobGroupSpec { Tasks = [Task("a"), Task("b")] } };
        Foresee(Scene(Node("n1"), Node("n2")), group).Jobs.Select(job => (job.Job.Metadata.Name, job.Nodes?[0])).ShouldBe([("g-a", "n1"), ("g-b", "n2")]);
        Foresee(Scene(Node("n1")), group).Jobs.ShouldAllBe(job => job.Nodes == null);
    }

    [Fact]
    public void What_the_operator_would_refuse_fails_with_its_sentence()
    {
        var job = Job("train", nodes: 1);
        job.Spec.Workdir = new Workdir { Git = new GitWorkdir { Url = "https://host/code" } };
        var foreseen = Foresee(Scene(Node("n1")), job).Jobs.ShouldHaveSingleItem();
        foreseen.WouldFail.ShouldBeTrue();
        foreseen.Why.ShouldNotBeNull().ShouldStartWith("workdir.git is not supported yet");
    }

    [Fact]
    public void Whom_it_would_preempt_is_told()
    {
        var low = Job("low", nodes: 1);
        low.Metadata.Uid = "low";
        low.Spec.Scheduling = new Scheduling { Preemptible = true };
        low.Status = new TrainingJobStatus
        {
            Phase = TrainingJobPhase.Running,
            SchedulingMode = SchedulingMode.Operator,
            Attempt = 1,
            Admission = new AdmissionStatus { Attempt = 1, Ranks = [new RankAssignment { Rank = 0, Node = "n1" }] },
        };
        var high = Job("high", nodes: 1);
        high.Spec.Scheduling = new Scheduling { Priority = 10 };
        var foreseen = Foresee(Scene(Node("n1")) with { Jobs = [low] }, high);
        foreseen.Preempted.ShouldHaveSingleItem().Job.Metadata.Name.ShouldBe("low");
        foreseen.Jobs.ShouldHaveSingleItem().Why.ShouldNotBeNull().ShouldContain("low");
    }

    private static Foreseen Foresee(PlanScene scene, params k8s.IKubernetesObject<V1ObjectMeta>[] objects) =>
        Foresight.Of(new LaunchPlan([.. objects.Select(item => new LaunchOperation(item))]), scene, Noon);

    private static PlanScene Scene(params NodeView[] nodes) => new([], [], [], nodes, [], [], "/objects");

    private static JobGroupTask Task(string name) => new() { Name = name, Job = Job(name, nodes: 1).Spec };

    private static TrainingJob Job(string name, int nodes) => new()
    {
        Metadata = Meta(name),
        Spec = new TrainingJobSpec { Run = "true", Image = "image", Nodes = nodes, Resources = new Resources { Accelerators = "H100:8" } },
    };

    private static V1ObjectMeta Meta(string name) => new() { Name = name, NamespaceProperty = "default" };

    private static NodeView Node(string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string> { [Labels.Accelerator] = "H100" } },
        Status = new NodeViewStatus
        {
            Allocatable = new Dictionary<string, string> { [Names.GpuResource] = "8", ["cpu"] = "64", ["memory"] = "512Gi" },
            Conditions = [new NodeConditionView { Type = "Ready", Status = "True" }],
        },
    };
}
