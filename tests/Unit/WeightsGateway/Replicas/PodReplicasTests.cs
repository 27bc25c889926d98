using k8s.Models;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Tests.Replicas;

public sealed class PodReplicasTests
{
    [Fact]
    public void A_pod_is_a_replica_of_its_own_life()
    {
        var replica = PodReplicas.Of(Pod("10.0.0.7", restarts: 3))!;
        replica.Instance.ShouldBe(new Instance("uid", 3));
        (replica.Ordinal, replica.Public.ToString(), replica.Control.ToString()).ShouldBe((4, "http://10.0.0.7:8080/", "http://10.0.0.7:8081/"));
        replica.IsDraining.ShouldBeFalse();
        replica.Gate.ShouldBe(true);
    }

    [Fact]
    public void An_address_of_version_6_is_written_as_a_URL_has_it() => PodReplicas.Of(Pod("fd00::7"))!.Public.ToString().ShouldBe("http://[fd00::7]:8080/");

    [Fact]
    public void A_pod_without_an_address_is_none() => PodReplicas.Of(Pod(null)).ShouldBeNull();

    [Fact]
    public void A_pod_that_is_being_deleted_drains()
    {
        var pod = Pod("10.0.0.7");
        pod.Metadata.DeletionTimestamp = DateTime.UnixEpoch;
        PodReplicas.Of(pod)!.IsDraining.ShouldBeTrue();
    }

    [Fact]
    public void How_its_engine_ended_before_is_one_plain_line_however_it_said_so()
    {
        var pod = Pod("10.0.0.7", restarts: 2);
        pod.Status.ContainerStatuses[1].LastState = new() { Terminated = new() { ExitCode = 1, Reason = "Error", Message = $"{new string('x', 900)}\n\u001b[31mValueError:\u202e no such model\r\n" } };
        var trouble = PodReplicas.Of(pod)!.Trouble!;
        trouble.ShouldStartWith("its engine ended with exit code 1: …xxx");
        trouble.ShouldEndWith(" [31mValueError: no such model");
        trouble.Length.ShouldBeLessThan(400);
        PodReplicas.Of(Pod("10.0.0.7"))!.Trouble.ShouldBeNull();
    }

    private static V1Pod Pod(string? address, int restarts = 0) => new()
    {
        Metadata = new() { Name = "policy-4-0", Uid = "uid", Labels = new Dictionary<string, string> { ["trestle.dev/replica"] = "4" } },
        Status = new()
        {
            Phase = "Running",
            PodIP = address,
            ContainerStatuses = [new() { Name = "filter", RestartCount = 9 }, new() { Name = "engine", RestartCount = restarts }],
            Conditions = [new() { Type = "trestle.dev/weights-current", Status = "True" }],
        },
    };
}
