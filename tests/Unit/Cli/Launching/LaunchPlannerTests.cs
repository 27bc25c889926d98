using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Launching;

namespace Trestle.Cli.Tests.Launching;

public sealed class LaunchPlannerTests
{
    private static readonly LaunchScene OneMachine = new("research", "alice", "/state/objects", JobGroup: null, InsidePod: false, "abcde");
    private static readonly LaunchScene OnACluster = OneMachine with { ObjectRoot = null };
    private static readonly LaunchScene InsideAGroup = OneMachine with { JobGroup = "rl-run", InsidePod = true };

    [Fact]
    public void A_job_gets_the_namespace_and_the_user()
    {
        var job = (TrainingJob)Plan(Job("train")).Launched.Single().Object;
        job.Metadata.NamespaceProperty.ShouldBe("research");
        job.Metadata.Annotations["trestle.dev/user"].ShouldBe("alice");
    }

    [Fact]
    public void A_directory_of_a_job_and_a_service_is_sent_along_once()
    {
        var job = new TrainingJobSpec { Run = "true" };
        var service = new InferenceServiceSpec();
        var group = new JobGroup { Metadata = new V1ObjectMeta { Name = "rl" }, Spec = new JobGroupSpec { Tasks = [new JobGroupTask { Name = "trainer", Job = job }, new JobGroupTask { Name = "policy", Service = service }] } };
        var packed = new Dictionary<string, IReadOnlyDictionary<string, string>> { ["/code"] = new Dictionary<string, string> { ["a.py"] = "1" } };
        var plan = LaunchPlanner.Plan(new LaunchInput([group], [], [(job, "/code"), (service, "/code")]), new LaunchOverrides(), OneMachine, packed);
        var map = plan.Operations[0].Object.ShouldBeOfType<V1ConfigMap>();
        map.Data.ShouldContainKeyAndValue("a.py", "1");
        (job.Workdir!.ConfigMap!.Name, service.Workdir!.ConfigMap!.Name, plan.Operations.Count).ShouldBe((map.Metadata.Name, map.Metadata.Name, 2));
    }

    [Fact]
    public void A_namespace_in_the_file_stands()
    {
        var job = Job("train");
        job.Metadata.NamespaceProperty = "other";
        Plan(job).Launched.Single().Object.Metadata.NamespaceProperty.ShouldBe("other");
    }

    [Fact]
    public void On_one_machine_a_bucket_becomes_a_directory_and_comes_before_the_job()
    {
        var plan = LaunchPlanner.Plan(new LaunchInput([Job("train")], [Bucket("ckpts")], []), new LaunchOverrides(), OneMachine, NoWorkdirs);
        var storage = plan.Operations[0].Object.ShouldBeOfType<Storage>();
        storage.Spec.S3.ShouldBeNull();
        storage.Spec.File!.Path.ShouldBe("/state/objects/ckpts");
        plan.Operations[0].OnlyIfMissing.ShouldBeTrue();
        plan.Operations[1].IsLaunched.ShouldBeTrue();
    }

    [Fact]
    public void On_a_cluster_a_bucket_stays_a_bucket()
    {
        var plan = LaunchPlanner.Plan(new LaunchInput([Job("train")], [Bucket("ckpts")], []), new LaunchOverrides(), OnACluster, NoWorkdirs);
        plan.Operations[0].Object.ShouldBeOfType<Storage>().Spec.S3!.Bucket.ShouldBe("ckpts");
    }

    [Fact]
    public void A_storage_that_the_file_describes_is_not_made_a_second_time()
    {
        var own = Bucket("ckpts");
        var plan = LaunchPlanner.Plan(new LaunchInput([own, Job("train")], [Bucket("ckpts")], []), new LaunchOverrides(), OnACluster, NoWorkdirs);
        plan.Operations.Count(operation => operation.Object is Storage).ShouldBe(1);
    }

    [Fact]
    public void Infra_moves_a_job_or_one_task_of_a_group()
    {
        var job = Job("train");
        job.Spec.Placement = [new Placement { Kubernetes = new KubernetesPlacement() }];
        var moved = (TrainingJob)Plan(job, new LaunchOverrides { Infra = [InfraOverride.Read("slurm/alps/gpu"), InfraOverride.Read("k8s")] }).Launched.Single().Object;
        moved.Spec.Placement!.Select(place => (place.Slurm?.Cluster, place.Slurm?.Partition)).ShouldBe([("alps", "gpu"), (null, null)]);

        JobGroup Group() => new() { Metadata = new V1ObjectMeta { Name = "rl" }, Spec = new JobGroupSpec { Tasks = [new JobGroupTask { Name = "trainer", Job = new TrainingJobSpec() }, new JobGroupTask { Name = "watcher", Job = new TrainingJobSpec() }] } };
        LaunchPlan PlanGroup(params string[] infra) => LaunchPlanner.Plan(new LaunchInput([Group()], [], []), new LaunchOverrides { Infra = [.. infra.Select(InfraOverride.Read)] }, OneMachine, NoWorkdirs);
        var group = (JobGroup)PlanGroup("trainer=slurm/alps").Launched.Single().Object;
        group.Spec.Tasks.Select(task => task.Job!.Placement?[0].Slurm?.Cluster).ShouldBe(["alps", null]);
        Should.Throw<CliException>(() => PlanGroup("slurm/alps")).Message.ShouldContain("name one, e.g. --infra trainer=slurm/alps");
        Should.Throw<CliException>(() => PlanGroup("trainr=slurm/alps")).Message.ShouldContain("its tasks are trainer, watcher");
        Should.Throw<CliException>(() => Plan(Job("train"), new LaunchOverrides { Infra = [InfraOverride.Read("trainer=k8s")] })).Message.ShouldContain("leave 'trainer=' out");
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("slurm")]
    [InlineData("slurm/")]
    [InlineData("=k8s")]
    [InlineData("aws/us-east-1")]
    public void What_is_no_place_is_refused(string infra) => Should.Throw<CliException>(() => InfraOverride.Read(infra)).Message.ShouldContain("write k8s, slurm/CLUSTER or slurm/CLUSTER/PARTITION");

    [Fact]
    public void The_command_line_stands_above_the_file()
    {
        var job = Job("train");
        job.Spec.Env = [new EnvVar { Name = "LR", Value = "1" }, new EnvVar { Name = "KEEP", Value = "k" }];
        var changed = (TrainingJob)Plan(job, new LaunchOverrides
        {
            Name = "again",
            Nodes = 2,
            Gpus = "H100:4",
            Priority = 7,
            Queue = "fast",
            Image = "i",
            MaxRestarts = 0,
            TimeLimit = "1h",
            Env = new Dictionary<string, string> { ["LR"] = "2" },
        }).Launched.Single().Object;
        changed.Metadata.Name.ShouldBe("again");
        changed.Spec.Nodes.ShouldBe(2);
        changed.Spec.Resources!.Accelerators.ShouldBe("H100:4");
        (changed.Spec.Scheduling!.Priority, changed.Spec.Scheduling.Queue).ShouldBe((7, "fast"));
        changed.Spec.Recovery!.MaxRestarts.ShouldBe(0);
        changed.Spec.Env!.Select(variable => $"{variable.Name}={variable.Value}").ShouldBe(["KEEP=k", "LR=2"]);
    }

    [Fact]
    public void Env_reaches_every_task_of_a_group_but_nodes_would_change_all_of_them_and_is_refused()
    {
        var group = Group("g");
        var plan = Plan(group, new LaunchOverrides { Env = new Dictionary<string, string> { ["A"] = "1" } });
        ((JobGroup)plan.Launched.Single().Object).Spec.Tasks.ShouldAllBe(task => task.Job!.Env!.Single().Value == "1");
        Should.Throw<CliException>(() => Plan(Group("g"), new LaunchOverrides { Nodes = 2 })).Message
            .ShouldBe("--nodes would change every task of the group g; change it in the file");
    }

    [Fact]
    public void A_secret_reaches_the_job_through_a_secret_object_and_never_in_clear()
    {
        var plan = Plan(Job("train"), new LaunchOverrides { Secrets = new Dictionary<string, string> { ["TOKEN"] = "hunter2" } });
        var secret = plan.Operations[0].Object.ShouldBeOfType<V1Secret>();
        secret.StringData["TOKEN"].ShouldBe("hunter2");
        plan.Operations[0].OwnedBy.ShouldBe("train");
        var variable = ((TrainingJob)plan.Launched.Single().Object).Spec.Env!.Single();
        (variable.Value, variable.ValueFrom!.SecretKeyRef!.Name, variable.ValueFrom.SecretKeyRef.Key).ShouldBe((null, secret.Metadata.Name, "TOKEN"));
    }

    [Fact]
    public void Inside_a_group_a_job_attaches_and_gets_a_name_of_its_own()
    {
        var job = (TrainingJob)Plan(Job("eval"), scene: InsideAGroup).Launched.Single().Object;
        (job.Metadata.Name, job.Spec.Group).ShouldBe(("eval-abcde", "rl-run"));
        var named = (TrainingJob)Plan(Job("eval"), new LaunchOverrides { Name = "eval-100" }, InsideAGroup).Launched.Single().Object;
        named.Metadata.Name.ShouldBe("eval-100");
    }

    [Fact]
    public void A_job_that_opts_out_stays_alone() =>
        ((TrainingJob)Plan(Job("eval"), scene: InsideAGroup with { JobGroup = null }).Launched.Single().Object).Spec.Group.ShouldBeNull();

    [Fact]
    public void Tasks_with_the_same_working_directory_share_one_config_map()
    {
        var group = Group("g");
        var specs = group.Spec.Tasks.Select(task => task.Job!).ToArray();
        var input = new LaunchInput([group], [], [(specs[0], "/code"), (specs[1], "/code")]);
        var files = new Dictionary<string, string> { ["train.py"] = "print(1)" };
        var plan = LaunchPlanner.Plan(input, new LaunchOverrides(), OneMachine, new Dictionary<string, IReadOnlyDictionary<string, string>> { ["/code"] = files });
        var map = plan.Operations[0].Object.ShouldBeOfType<V1ConfigMap>();
        map.Data["train.py"].ShouldBe("print(1)");
        specs.ShouldAllBe(spec => spec.Workdir!.ConfigMap!.Name == map.Metadata.Name);
        plan.Operations.Count.ShouldBe(2);
    }

    [Fact]
    public void Two_jobs_of_one_name_and_no_job_at_all_are_refused()
    {
        Should.Throw<CliException>(() => LaunchPlanner.Plan(new LaunchInput([Job("a"), Job("a")], [], []), new LaunchOverrides(), OneMachine, NoWorkdirs)).Message
            .ShouldBe("the name a is given to 2 objects of kind TrainingJob; rename one of them");
        Should.Throw<CliException>(() => LaunchPlanner.Plan(new LaunchInput([Bucket("b")], [], []), new LaunchOverrides(), OneMachine, NoWorkdirs)).ExitCode
            .ShouldBe(ExitCode.Usage);
    }

    [Fact]
    public void A_job_without_a_name_gets_one() =>
        Plan(new TrainingJob { Metadata = new V1ObjectMeta(), Spec = new TrainingJobSpec { Run = "true" } }).Launched.Single().Name.ShouldBe("job-abcde");

    private static readonly Dictionary<string, IReadOnlyDictionary<string, string>> NoWorkdirs = [];

    private static LaunchPlan Plan(IKubernetesObject<V1ObjectMeta> job, LaunchOverrides? overrides = null, LaunchScene? scene = null) =>
        LaunchPlanner.Plan(new LaunchInput([job], [], []), overrides ?? new LaunchOverrides(), scene ?? OneMachine, NoWorkdirs);

    private static TrainingJob Job(string name) => new() { Metadata = new V1ObjectMeta { Name = name }, Spec = new TrainingJobSpec { Run = "true" } };

    private static Storage Bucket(string name) =>
        new() { Metadata = new V1ObjectMeta { Name = name }, Spec = new StorageSpec { S3 = new S3Storage { Bucket = name } } };

    private static JobGroup Group(string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name },
        Spec = new JobGroupSpec
        {
            Tasks = [new JobGroupTask { Name = "a", Job = new TrainingJobSpec { Run = "true" } }, new JobGroupTask { Name = "b", Job = new TrainingJobSpec { Run = "true" } }],
        },
    };
}
