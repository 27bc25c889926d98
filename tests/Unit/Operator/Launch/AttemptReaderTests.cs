using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Launch;

public sealed class AttemptReaderTests
{
    private readonly FixedCache<TrainingJob> _jobs = new();
    private readonly FixedCache<PodView> _pods = new();
    private readonly FixedCache<JobGroup> _groups = new();

    [Fact]
    public void Nothing_is_told_before_every_rank_has_an_address()
    {
        Running(Sample.Job(), attempt: 2);
        Pod(0, 2, "10.0.0.1");
        Pod(1, 2, null);
        Pod(2, 2, "10.0.0.3");
        Read(2).ShouldBe(Gathering.Incomplete);
        _pods.All[1].Status!.PodIP = "10.0.0.2";
        Read(2).Facts!.Addresses.ShouldBe(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    }

    [Fact]
    public void Pods_of_another_attempt_are_not_counted()
    {
        Running(Sample.Job(), attempt: 2);
        for (var rank = 0; rank < 3; rank++) Pod(rank, rank == 1 ? 1 : 2, "10.0.0.9");
        Read(2).ShouldBe(Gathering.Incomplete);
    }

    [Fact]
    public void An_attempt_that_was_followed_by_another_gets_no_answer()
    {
        Running(Sample.Job(), attempt: 3);
        Pod(0, 2, "10.0.0.1");
        Read(2).Over.ShouldNotBeNull().ShouldContain("attempt 3");
    }

    [Theory]
    [InlineData(TrainingJobPhase.Succeeded)]
    [InlineData(TrainingJobPhase.Failed)]
    [InlineData(TrainingJobPhase.Cancelled)]
    public void An_ended_job_gets_no_answer(TrainingJobPhase phase)
    {
        Running(Sample.Job(), attempt: 2).Status!.Phase = phase;
        Pod(0, 2, "10.0.0.1");
        Read(2).Over.ShouldNotBeNull();
    }

    [Fact]
    public void A_cache_that_is_behind_is_waited_for()
    {
        Read(1).ShouldBe(Gathering.Incomplete);
        Pod(0, 2, "10.0.0.1");
        Read(2).ShouldBe(Gathering.Incomplete);
        Running(Sample.Job(), attempt: 1);
        Read(2).ShouldBe(Gathering.Incomplete);
    }

    [Fact]
    public void A_job_of_the_same_name_and_another_uid_is_another_job()
    {
        Running(Sample.Job(), attempt: 1).Metadata.Uid = "uid-0";
        for (var rank = 0; rank < 3; rank++) Pod(rank, 1, "10.0.0.1");
        Read(1).ShouldBe(Gathering.Incomplete);
    }

    [Fact]
    public void An_attempt_with_fewer_ranks_is_whole_when_they_have_addresses()
    {
        Running(Sample.Job(), attempt: 2).Status!.Admission = new AdmissionStatus { Attempt = 2, Size = 2 };
        Pod(0, 2, "10.0.0.1");
        Pod(1, 2, "10.0.0.2");
        Read(2).Facts!.Addresses.ShouldBe(["10.0.0.1", "10.0.0.2"]);
    }

    [Fact]
    public void A_rank_is_told_of_its_heartbeat_file_when_somebody_watches_it()
    {
        Running(Sample.Job(spec => (spec.Nodes, spec.Recovery) = (1, new Recovery { HangTimeout = "5m" })), attempt: 2);
        Pod(0, 2, "10.0.0.1");
        Read(2).Facts!.HeartbeatFile.ShouldBe("/trestle/run/heartbeat");
    }

    [Fact]
    public void A_task_knows_its_place_in_the_group()
    {
        var job = Running(Sample.Task("rl", "eval"), attempt: 1);
        job.Spec.Nodes = 1;
        job.Spec.Resources = new Resources { Accelerators = "H100:4" };
        job.Spec.Mounts = [new StorageMount { Path = "/data", Storage = "a" }, new StorageMount { Path = "/ckpts", Storage = "b", Mode = MountMode.MountCached }];
        _groups.All.Add(new JobGroup
        {
            Metadata = new V1ObjectMeta { Name = "rl", NamespaceProperty = "research" },
            Spec = new JobGroupSpec { Tasks = [new JobGroupTask { Name = "trainer" }, new JobGroupTask { Name = "eval" }] },
        });
        Pod(0, 1, "10.0.0.1", job.Metadata.Name);
        var facts = Read(1).Facts!;
        (facts.Group, facts.Task, facts.TaskIndex, facts.TaskCount).ShouldBe(("rl", "eval", 1, 2));
        (facts.GpusPerNode, facts.CheckpointDirectory, facts.HeadPort).ShouldBe((4, "/ckpts", LaunchEnvironment.HeadPort("uid-1", 1)));
    }

    [Fact]
    public void A_task_is_told_of_the_services_of_its_group()
    {
        var job = Running(Sample.Task("rl", "trainer"), attempt: 1);
        job.Spec.Nodes = 1;
        var policy = new InferenceServiceSpec
        {
            Model = new ModelSpec { Uri = "hf://Qwen/Qwen3-8B", ServedName = "policy" },
            Replicas = 2,
            Weights = new WeightsSpec { Source = new WeightsSource { Type = WeightsSourceType.Trainer, TrainerTask = "trainer" } },
        };
        _groups.All.Add(new JobGroup
        {
            Metadata = new V1ObjectMeta { Name = "rl", NamespaceProperty = "research" },
            Spec = new JobGroupSpec { Tasks = [new JobGroupTask { Name = "trainer", Job = job.Spec }, new JobGroupTask { Name = "roll-out", Service = policy }] },
        });
        Pod(0, 1, "10.0.0.1", job.Metadata.Name);
        var told = LaunchEnvironment.Build(Read(1).Facts!, 0).Where(variable => variable.Key.StartsWith("TRESTLE_ROLL_OUT_", StringComparison.Ordinal)).ToDictionary();
        told.ShouldBe(new Dictionary<string, string>
        {
            ["TRESTLE_ROLL_OUT_URL"] = "http://rl-roll-out.research.svc:8000",
            ["TRESTLE_ROLL_OUT_WEIGHTS_URL"] = "http://rl-roll-out-weights.research.svc:8001",
            ["TRESTLE_ROLL_OUT_MODEL"] = "policy",
            ["TRESTLE_ROLL_OUT_REPLICAS"] = "2",
            ["TRESTLE_ROLL_OUT_ENDPOINTS"] = "/trestle/services/roll-out/endpoints.json",
        }, ignoreOrder: true);
    }

    private Gathering Read(int attempt) => new AttemptReader(_jobs, _pods, _groups).Read("uid-1", attempt);

    private TrainingJob Running(TrainingJob job, int attempt)
    {
        job.Status = new TrainingJobStatus { Phase = TrainingJobPhase.Starting, Attempt = attempt };
        _jobs.All.Add(job);
        return job;
    }

    private void Pod(int rank, int attempt, string? address, string job = "sft") => _pods.All.Add(new PodView
    {
        Metadata = new V1ObjectMeta
        {
            Name = Names.Pod(job, rank, attempt),
            NamespaceProperty = "research",
            Labels = new Dictionary<string, string> { [Labels.JobUid] = "uid-1", [Labels.JobName] = job, [Labels.Attempt] = $"{attempt}", [Labels.Rank] = $"{rank}" },
        },
        Status = new PodViewStatus { PodIP = address },
    });
}
