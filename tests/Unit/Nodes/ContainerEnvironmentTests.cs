using k8s.Models;
using Trestle.Local.Nodes.Containers;

namespace Trestle.Local.Nodes.Tests;

public sealed class ContainerEnvironmentTests
{
    [Theory]
    [InlineData("$(A)/x", "1/x")]
    [InlineData("$$(A)", "$(A)")]
    [InlineData("$(NOPE)", "$(NOPE)")]
    [InlineData("$(A", "$(A")]
    [InlineData("a$", "a$")]
    [InlineData("$A $(A)$(B)", "$A 12")]
    [InlineData("$$$(A)", "$1")]
    public void References_expand_as_Kubernetes_expands_them(string text, string expected) =>
        VariableExpansion.Expand(text, new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" }).ShouldBe(expected);

    [Fact]
    public void Later_sources_win_and_values_may_refer_to_earlier_ones()
    {
        var pod = new APod().Main("main", "true").Build();
        var container = pod.Spec.Containers[0];
        container.EnvFrom = [new V1EnvFromSource { Prefix = "P_", ConfigMapRef = new V1ConfigMapEnvSource { Name = "cm" } }];
        container.Env =
        [
            new V1EnvVar { Name = "P_B", Value = "own" },
            new V1EnvVar { Name = "C", Value = "$(P_A)-$(P_B)" },
            new V1EnvVar { Name = "IP", ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = "status.podIP" } } },
            new V1EnvVar { Name = "SECRET", ValueFrom = new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = "s", Key = "k" } } },
        ];
        var objects = new PodObjects(
            new Dictionary<string, V1ConfigMap> { ["cm"] = new() { Data = new Dictionary<string, string> { ["A"] = "a", ["B"] = "b" } } },
            new Dictionary<string, V1Secret> { ["s"] = new() { Data = new Dictionary<string, byte[]> { ["k"] = "hush"u8.ToArray() } } });
        var environment = ContainerEnvironment.Build(pod, container, objects, "127.20.0.9", "127.0.0.1", []);
        (environment["C"], environment["IP"], environment["SECRET"]).ShouldBe(("a-own", "127.20.0.9", "hush"));
    }

    [Fact]
    public void A_missing_secret_is_named_unless_optional()
    {
        var pod = new APod().Main("main", "true").Build();
        var reference = new V1SecretKeySelector { Name = "wandb", Key = "key" };
        pod.Spec.Containers[0].Env = [new V1EnvVar { Name = "K", ValueFrom = new V1EnvVarSource { SecretKeyRef = reference } }];
        Should.Throw<ContainerConfigException>(() => ContainerEnvironment.Build(pod, pod.Spec.Containers[0], PodObjects.None, "", "", [])).Message.ShouldBe("secret \"wandb\" not found");
        reference.Optional = true;
        ContainerEnvironment.Build(pod, pod.Spec.Containers[0], PodObjects.None, "", "", []).ShouldBeEmpty();
    }

    [Fact]
    public void A_container_without_a_command_is_told_that_images_are_not_pulled()
    {
        var pod = new APod().Main("main").Build();
        Should.Throw<ContainerConfigException>(() => ContainerEnvironment.Command(pod.Spec.Containers[0], new Dictionary<string, string>())).Message.ShouldContain("images are not pulled");
    }

    [Fact]
    public void Resource_fields_round_up_to_their_divisor()
    {
        var pod = new APod().Main("main").Asking("memory", "1536Mi").Asking("cpu", "1500m").Build();
        FieldPaths.Resource(pod, new V1ResourceFieldSelector { Resource = "requests.cpu" }, "main").ShouldBe("2");
        FieldPaths.Resource(pod, new V1ResourceFieldSelector { Resource = "requests.memory", Divisor = new ResourceQuantity("1Gi") }, "main").ShouldBe("2");
    }
}
