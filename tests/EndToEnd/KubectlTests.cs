using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>What kubectl does with our kinds on the one-machine control plane.</summary>
public sealed class KubectlTests(FourNodes nodes) : IClassFixture<FourNodes>
{
    private static readonly string Hello = RepositoryFiles.Path("examples", "trestle", "hello.yaml");

    private LocalPlane Plane => nodes.Plane;

    [Fact]
    public async Task A_job_is_applied_watched_waited_for_and_deleted()
    {
        var file = Plane.Files.Write("applied.yaml", (await File.ReadAllTextAsync(Hello, TestContext.Current.CancellationToken)).Replace("name: hello", "name: applied", StringComparison.Ordinal));
        await using var watch = Plane.StartKubectl("get", "trainingjobs", "-w");
        (await Plane.KubectlAsync("apply", "-f", file)).ShouldExit(0).Out.ShouldContain("applied created");
        (await Plane.KubectlAsync("wait", "--for=condition=Complete", "tj/applied", "--timeout=60s")).ShouldExit(0);
        await Plane.UntilAsync("the watch has shown the end", () => Task.FromResult(watch.Out.Contains("Succeeded", StringComparison.Ordinal)));
        (await Plane.KubectlAsync("logs", "-f", "applied-1-a1", "-c", "main")).ShouldExit(0).Out.ShouldContain("node 1 of 2");
        (await Plane.KubectlAsync("describe", "tj", "applied")).ShouldExit(0).Out.ShouldContain("Succeeded");
        (await Plane.KubectlAsync("diff", "-f", file)).ShouldExit(0);
        (await Plane.KubectlAsync("delete", "tj", "applied")).ShouldExit(0);
        (await Plane.ListAsync("api/v1/namespaces/default/pods?labelSelector=trestle.dev/job-name=applied")).ShouldAllBe(pod => pod["metadata"]!["deletionTimestamp"] != null);
    }

    [Fact]
    public async Task Server_side_apply_patch_and_diff_agree()
    {
        var file = Plane.Files.Write("patched.yaml", """
            apiVersion: trestle.dev/v1alpha1
            kind: TrainingJob
            metadata: {name: patched}
            spec:
              suspend: true
              run: echo hi
            """);
        (await Plane.KubectlAsync("apply", "--server-side", "-f", file)).ShouldExit(0);
        (await Plane.KubectlAsync("patch", "tj", "patched", "--type=merge", "-p", """{"spec":{"scheduling":{"priority":5}}}""")).ShouldExit(0);
        (await Plane.KubectlAsync("get", "tj", "patched", "-o", "jsonpath={.spec.scheduling.priority}")).ShouldExit(0).Out.Trim().ShouldBe("5");
        (await Plane.KubectlAsync("diff", "--server-side", "-f", file)).ShouldExit(0);
        var refused = await Plane.KubectlAsync("patch", "tj", "patched", "--type=merge", "-p", """{"spec":{"nodes":3}}""");
        refused.ExitCode.ShouldBe(1);
        refused.Error.ShouldContain("can't change");
        (await Plane.KubectlAsync("delete", "tj", "patched")).ShouldExit(0);
    }

    [Fact]
    public async Task Explain_shows_the_fields_and_what_they_mean()
    {
        var shown = (await Plane.KubectlAsync("explain", "trainingjob.spec.recovery")).ShouldExit(0).Out;
        shown.ShouldContain("maxRestarts");
        shown.ShouldContain("<integer>");
    }

    [Fact]
    public async Task A_group_applied_by_kubectl_is_cancelled_by_deleting_it()
    {
        (await Plane.KubectlAsync("create", "configmap", "train-eval", $"--from-file={RepositoryFiles.Path("examples", "train-eval")}")).ShouldExit(0);
        (await Plane.KubectlAsync("apply", "-f", RepositoryFiles.Path("examples", "trestle", "train-eval-group.yaml"))).ShouldExit(0);
        await Plane.PhaseAsync("trainingjobs", "train-eval-trainer", ["Running"]);
        (await Plane.KubectlAsync("delete", "jobgroup", "train-eval", "--timeout=60s")).ShouldExit(0);
        await Plane.UntilAsync("nothing of the group runs", () => Task.FromResult(Processes.Naming(Plane.State).All(process => !process.Has("TRESTLE_JOB_GROUP", "train-eval"))));
        await Plane.UntilAsync("its jobs are gone", async () => await Plane.TrainingJobAsync("train-eval-trainer") is null);
    }
}
