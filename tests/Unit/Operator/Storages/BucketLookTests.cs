using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Storages;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Storages;

public sealed class BucketLookTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_new_or_changed_bucket_is_looked_into_at_once()
    {
        BucketLook.Next(ABucket(), null, [], Noon).Step.ShouldBe(LookStep.Start);
        var changed = ABucket(Ready(Noon));
        changed.Metadata.Generation = 4;
        BucketLook.Next(changed, null, [], Noon).Step.ShouldBe(LookStep.Start);
    }

    [Fact]
    public void A_bucket_that_nobody_uses_is_left_alone() => BucketLook.Next(ABucket(Ready(Noon.AddDays(-1))), null, [], Noon).ShouldBe((LookStep.Wait, null));

    [Fact]
    public void A_bucket_in_use_is_looked_into_from_time_to_time()
    {
        BucketLook.Next(ABucket(Ready(Noon.AddMinutes(-2))), null, [AUser()], Noon).ShouldBe((LookStep.Wait, TimeSpan.FromMinutes(3)));
        BucketLook.Next(ABucket(Ready(Noon.AddMinutes(-5))), null, [AUser()], Noon).Step.ShouldBe(LookStep.Start);
    }

    [Fact]
    public void A_job_that_has_ended_since_is_a_reason_to_look()
    {
        var user = AUser();
        user.Status = new TrainingJobStatus { Phase = TrainingJobPhase.Succeeded, Timeline = new TrainingJobTimeline { FinishedAt = Noon.AddSeconds(-5).UtcDateTime } };
        BucketLook.Next(ABucket(Ready(Noon.AddMinutes(-1))), null, [user], Noon).Step.ShouldBe(LookStep.Start);
        BucketLook.Next(ABucket(Ready(Noon)), null, [user], Noon).ShouldBe((LookStep.Wait, null));
    }

    [Fact]
    public void A_bucket_that_can_not_be_used_is_tried_again_after_a_while()
    {
        var failed = new StorageStatus { ObservedGeneration = 3, Phase = StoragePhase.Failed, LookedAt = Noon.AddSeconds(-10).UtcDateTime };
        BucketLook.Next(ABucket(failed), null, [], Noon).ShouldBe((LookStep.Wait, TimeSpan.FromSeconds(20)));
        BucketLook.Next(ABucket(failed), null, [], Noon.AddSeconds(20)).Step.ShouldBe(LookStep.Start);
    }

    [Fact]
    public void What_a_pod_found_is_taken_and_a_pod_of_another_spec_is_not_heard()
    {
        BucketLook.Next(ABucket(), APod(0, "{}"), [], Noon).Step.ShouldBe(LookStep.Take);
        var changed = ABucket();
        changed.Metadata.Generation = 4;
        BucketLook.Next(changed, APod(0, "{}"), [], Noon).Step.ShouldBe(LookStep.Discard);
        var running = APod(0, "");
        running.Status = new PodViewStatus { Phase = "Running" };
        BucketLook.Next(ABucket(), running, [], Noon).Step.ShouldBe(LookStep.Wait);
        BucketLook.Finding(running).ShouldBeNull();
    }

    [Fact]
    public void The_finding_is_the_report_or_the_last_line_of_what_went_wrong()
    {
        var report = new StorageReport { Bytes = 7, Objects = 2, Checkpoints = [new DurableCheckpoint("step-1", 5, Noon)] };
        var found = BucketLook.Finding(APod(0, report.ToText())).ShouldNotBeNull();
        (found.At, found.Report!.Bytes, found.Report.Checkpoints.Single().Name).ShouldBe((Noon.UtcDateTime, 7, "step-1"));
        BucketLook.Finding(APod(1, "warming up\nthe bucket b does not exist\n"))!.Error.ShouldBe("the bucket b does not exist");
        BucketLook.Finding(APod(0, "hello"))!.Error!.ShouldContain("same version");
    }

    [Fact]
    public void A_pod_that_can_not_start_says_why()
    {
        var pod = APod(0, "");
        pod.Status = new PodViewStatus { Phase = "Pending", ContainerStatuses = [new ContainerStatusView { State = new ContainerStateView { Waiting = new WaitingView { Reason = "CreateContainerConfigError", Message = "secret \"s3\" not found" } } }] };
        BucketLook.Finding(pod)!.Error.ShouldBe("the pod that looks into it can't start: secret \"s3\" not found");
        pod.Status.ContainerStatuses[0].State!.Waiting!.Reason = "ContainerCreating";
        BucketLook.Finding(pod).ShouldBeNull();
    }

    [Fact]
    public void Credentials_are_in_the_environment_of_the_pod_by_reference_alone()
    {
        var pod = BucketLook.Pod(ABucket(), new PodSettings("image", "node", "http://operator", null));
        var container = pod.Spec.Containers.Single();
        container.Command.ShouldBe(["trestle-node", "cachemount", "look", "--store", "s3://ckpts/team/a", "--endpoint", "https://s3.local", "--region", "r1", "--path-style", "true", "--out", "/dev/termination-log"]);
        container.Env.ShouldAllBe(variable => variable.Value == null && variable.ValueFrom.SecretKeyRef.Name == "s3");
        container.Env.Select(variable => variable.Name).ShouldBe(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]);
        (pod.Metadata.Name, pod.Spec.RestartPolicy, pod.Spec.AutomountServiceAccountToken).ShouldBe(("ckpts-storage-look", "Never", false));
        pod.Metadata.OwnerReferences.Single().Kind.ShouldBe(Storage.KubeKind);
    }

    private static Storage ABucket(StorageStatus? status = null) => new()
    {
        Metadata = new V1ObjectMeta { Name = "ckpts", NamespaceProperty = "research", Uid = "u", Generation = 3 },
        Spec = new StorageSpec { S3 = new S3Storage { Bucket = "ckpts", Prefix = "team/a/", Endpoint = "https://s3.local", Region = "r1", PathStyle = true, CredentialsSecretRef = new NameReference { Name = "s3" } } },
        Status = status,
    };

    private static StorageStatus Ready(DateTimeOffset at) => new() { ObservedGeneration = 3, Phase = StoragePhase.Ready, LookedAt = at.UtcDateTime };

    private static TrainingJob AUser() => new() { Metadata = new V1ObjectMeta { Name = "j", NamespaceProperty = "research" }, Spec = new TrainingJobSpec { Mounts = [new StorageMount { Path = "/c", Storage = "ckpts" }] } };

    private static PodView APod(int code, string message) => new()
    {
        Metadata = new V1ObjectMeta { Name = "ckpts-storage-look", NamespaceProperty = "research", Labels = new Dictionary<string, string> { ["trestle.dev/storage-generation"] = "3" } },
        Status = new PodViewStatus
        {
            Phase = code == 0 ? "Succeeded" : "Failed",
            ContainerStatuses = [new ContainerStatusView { State = new ContainerStateView { Terminated = new TerminatedView { ExitCode = code, Message = message, FinishedAt = Noon.UtcDateTime } } }],
        },
    };
}
