using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Launching;

namespace Trestle.Cli.Tests.Launching;

public sealed class ServiceLaunchTests
{
    private static readonly LaunchScene Scene = new("research", "alice", ObjectRoot: null, JobGroup: "rl-run", InsidePod: true, "abcde");

    [Fact]
    public void A_service_by_itself_is_launched_under_its_own_name_with_its_directory()
    {
        var service = Service("policy");
        var packed = new Dictionary<string, IReadOnlyDictionary<string, string>> { ["/code"] = new Dictionary<string, string> { ["engine.py"] = "1" } };

        var plan = LaunchPlanner.Plan(new LaunchInput([service], [], [(service.Spec, "/code")]), new LaunchOverrides(), Scene, packed);

        var map = plan.Operations[0].Object.ShouldBeOfType<V1ConfigMap>();
        (plan.Operations[0].OwnedBy, service.Spec.Workdir!.ConfigMap!.Name).ShouldBe(("policy", map.Metadata.Name));
        var launched = plan.Launched.Single().Object.Metadata;
        (launched.Name, launched.NamespaceProperty, launched.Annotations["trestle.dev/user"]).ShouldBe(("policy", "research", "alice"));
    }

    [Fact]
    public void A_service_takes_a_name_from_the_command_line() =>
        Plan(new LaunchOverrides { Name = "other" }, Service("policy")).Launched.Single().Name.ShouldBe("other");

    [Fact]
    public void Two_things_do_not_take_one_name() =>
        Should.Throw<CliException>(() => Plan(new LaunchOverrides { Name = "other" }, Service("policy"), Job())).Message.ShouldContain("launch them one by one");

    [Theory]
    [InlineData("--gpus")]
    [InlineData("--env")]
    [InlineData("--secret")]
    [InlineData("--infra")]
    public void What_changes_jobs_is_refused_for_a_service(string option)
    {
        var values = new Dictionary<string, string> { ["A"] = "1" };
        var overrides = option switch
        {
            "--gpus" => new LaunchOverrides { Gpus = "H100:1" },
            "--env" => new LaunchOverrides { Env = values },
            "--secret" => new LaunchOverrides { Secrets = values },
            _ => new LaunchOverrides { Infra = [InfraOverride.Read("k8s")] },
        };

        Should.Throw<CliException>(() => Plan(overrides, Service("policy"))).Message.ShouldBe($"{option} changes jobs, and policy is a service; change it in the file");
    }

    [Fact]
    public void Beside_a_job_the_command_line_changes_the_job_alone()
    {
        var plan = Plan(new LaunchOverrides { Gpus = "H100:1", Secrets = new Dictionary<string, string> { ["KEY"] = "k" } }, Service("policy"), Job());

        plan.Launched.Select(launched => launched.Object.Kind).ShouldBe([InferenceService.KubeKind, TrainingJob.KubeKind]);
        plan.Operations.Count(operation => operation.Object is V1Secret).ShouldBe(1);
        plan.Launched.Select(launched => launched.Object).OfType<InferenceService>().Single().Spec.Resources.ShouldBeNull();
    }

    [Fact]
    public void A_secret_with_the_label_of_a_job_stays_as_it_is_beside_a_service_of_that_name()
    {
        var secret = new V1Secret { Kind = "Secret", Metadata = new V1ObjectMeta { Name = "key", Labels = new Dictionary<string, string> { ["trestle.dev/job-name"] = "policy" } } };

        var kept = Plan(new LaunchOverrides(), secret, Service("policy")).Operations[0];

        (kept.Name, kept.OwnedBy).ShouldBe(("key", null));
    }

    private static LaunchPlan Plan(LaunchOverrides overrides, params IKubernetesObject<V1ObjectMeta>[] objects) =>
        LaunchPlanner.Plan(new LaunchInput(objects, [], []), overrides, Scene, new Dictionary<string, IReadOnlyDictionary<string, string>>());

    private static InferenceService Service(string name) => new() { Metadata = new V1ObjectMeta { Name = name }, Spec = new InferenceServiceSpec { Model = new ModelSpec { Uri = "/models/tiny" } } };

    private static TrainingJob Job() => new() { Metadata = new V1ObjectMeta { Name = "train" }, Spec = new TrainingJobSpec { Run = "true" } };
}
