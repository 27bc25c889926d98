using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Operator.Launch;

namespace Trestle.Operator.Tests.Launch;

public sealed class PodOverlayTests
{
    [Fact]
    public void Fields_are_added_and_the_pod_stays_what_it_was()
    {
        var pod = Overlaid("""{"nodeSelector": {"zone": "a"}, "hostNetwork": true, "priorityClassName": "high"}""", accelerators: "H100:8");
        pod.Spec.NodeSelector.ShouldBe(new Dictionary<string, string> { ["zone"] = "a", [Labels.Accelerator] = "H100" }, ignoreOrder: true);
        (pod.Spec.HostNetwork, pod.Spec.PriorityClassName).ShouldBe((true, "high"));
        pod.Spec.Containers.Single().Command.ShouldNotBeEmpty();
        pod.Spec.Volumes.Count.ShouldBe(Sample.Pod().Spec.Volumes.Count);
    }

    [Fact]
    public void Tolerations_add_up() =>
        Overlaid("""{"tolerations": [{"key": "gpu", "operator": "Exists"}]}""").Spec.Tolerations.Select(toleration => toleration.Key)
            .ShouldBe(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "gpu"]);

    [Fact]
    public void Containers_volumes_and_mounts_merge_by_their_names()
    {
        var pod = Overlaid("""
            {"volumes": [{"name": "cache", "emptyDir": {}}],
             "containers": [{"name": "main", "securityContext": {"privileged": true}, "volumeMounts": [{"name": "cache", "mountPath": "/cache"}]},
                            {"name": "metrics", "image": "exporter"}]}
            """);
        pod.Spec.Containers.Select(container => container.Name).ShouldBe(["main", "metrics"]);
        pod.MainContainer().SecurityContext.Privileged.ShouldBe(true);
        pod.VolumeAt("/cache").EmptyDir.ShouldNotBeNull();
        pod.MainContainer().VolumeMounts.Count.ShouldBe(Sample.Pod().MainContainer().VolumeMounts.Count + 1);
    }

    [Fact]
    public void Metadata_adds_labels_and_annotations_but_never_changes_ours()
    {
        var pod = Overlaid("""{"metadata": {"name": "other", "labels": {"team": "rl", "trestle.dev/rank": "7"}, "annotations": {"a": "b"}}, "spec": {"hostIPC": true}}""");
        pod.Metadata.Name.ShouldBe(Sample.Pod().Metadata.Name);
        pod.Metadata.Labels.ShouldContainKeyAndValue("team", "rl");
        pod.Metadata.Labels.ShouldContainKeyAndValue(Labels.Rank, "1");
        pod.Metadata.Annotations.ShouldContainKeyAndValue("a", "b");
        pod.Spec.HostIPC.ShouldBe(true);
    }

    [Theory]
    [InlineData("restartPolicy", "\"Always\"")]
    [InlineData("schedulingGates", "[]")]
    [InlineData("hostname", "\"x\"")]
    [InlineData("subdomain", "\"x\"")]
    [InlineData("nodeName", "\"node-0\"")]
    public void What_a_gang_stands_on_is_refused(string field, string value) =>
        Should.Throw<LaunchRefusedException>(() => Overlaid($$"""{"{{field}}": {{value}}}""")).Message.ShouldStartWith($"spec.podTemplate may not set {field}");

    [Theory]
    [InlineData("""{"tolerations": "gpu"}""")]
    [InlineData("""{"containers": [{"name": "main", "command": ["sleep"]}]}""")]
    [InlineData("""{"spec": "x"}""")]
    [InlineData("""{"containers": [{"image": "x"}]}""")]
    [InlineData("""{"containers": null}""")]
    [InlineData("""{"hostNetwork": {"a": 1}}""")]
    public void What_is_no_pod_is_refused_with_a_sentence(string overlay) =>
        PodOverlay.Problem(JsonNode.Parse(overlay)!.AsObject()).ShouldNotBeNull().ShouldContain("spec.podTemplate");

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"nodeSelector": {"zone": "a"}}""")]
    [InlineData("""{"metadata": {"labels": {"team": "rl"}}}""")]
    public void What_can_be_used_has_no_problem(string overlay) => PodOverlay.Problem(JsonNode.Parse(overlay)!.AsObject()).ShouldBeNull();

    private static V1Pod Overlaid(string overlay, string? accelerators = null) => Sample.Pod(spec =>
    {
        spec.PodTemplate = JsonNode.Parse(overlay)!.AsObject();
        if (accelerators is not null) spec.Resources = new() { Accelerators = accelerators };
    });
}
