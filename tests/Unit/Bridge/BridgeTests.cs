using System.Net;
using System.Net.Http.Headers;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Logs;
using Trestle.Bridge.Tests.Fakes;
using Trestle.Runtime;

namespace Trestle.Bridge.Tests;

/// <summary>The whole bridge, with only the API server and Slurm stood in for.</summary>
public sealed class BridgeTests
{
    private static readonly System.Text.Json.Nodes.JsonObject CancelPatch = new() { ["spec"] = new System.Text.Json.Nodes.JsonObject { ["cancel"] = true } };

    [Fact]
    public async Task A_job_is_sent_followed_and_its_end_reported()
    {
        await using var world = await BridgeWorld.StartAsync();
        var made = await world.SubmitAsync("train", spec => spec.Script = "#!/bin/sh\necho 'it'\"'\"'s' $HOME `x`\n");
        var sent = await world.UntilAsync("train", job => job.Status?.JobId is not null);
        var key = made.Spec.JobUid[..8] + "-a1";
        world.Slurm.Jobs.ShouldBe([(sent.Status!.JobId!, key)]);
        (await File.ReadAllTextAsync(Path.Combine(world.Slurm.Root, key, "job"), TestContext.Current.CancellationToken)).ShouldBe(made.Spec.Script);
        var arguments = await File.ReadAllTextAsync(world.Slurm.PathOf($"jobs/{sent.Status.JobId}/arguments"), TestContext.Current.CancellationToken);
        arguments.ShouldContain($"--job-name={key} --dependency=singleton --no-requeue");
        arguments.ShouldContain("--partition=gpu --nodes=1");

        world.Queue((sent.Status.JobId!, "PENDING", "0", "Priority", key));
        (await world.UntilAsync("train", job => job.Status!.State == "PENDING")).Status!.ShouldSatisfyAllConditions(
            status => status.Phase.ShouldBe(SlurmJobPhase.Queued),
            status => status.Reason.ShouldBe("Priority"));
        world.Queue((sent.Status.JobId!, "RUNNING", "0", "None", key));
        (await world.UntilAsync("train", job => job.Status!.Phase == SlurmJobPhase.Running)).Status!.Nodes.ShouldBe(["gpu1", "gpu2"]);
        world.Queue((sent.Status.JobId!, "FAILED", "768", "NonZeroExitCode", key));
        (await world.UntilAsync("train", job => job.Status!.Phase == SlurmJobPhase.Failed)).Status!.ShouldSatisfyAllConditions(
            status => status.ExitCode.ShouldBe(3),
            status => status.Signal.ShouldBeNull(),
            status => status.Message.ShouldBe("the job ended with exit code 3"),
            status => status.Infrastructure.ShouldBeNull(),
            status => status.FinishedAt.ShouldNotBeNull());
        var writes = world.Api.StatusWrites;
        world.Slurm.Jobs.Count.ShouldBe(1);
        writes.ShouldBeLessThanOrEqualTo(5, "one write for a change");
    }

    [Fact]
    public async Task What_the_queue_has_forgotten_is_taken_from_accounting()
    {
        await using var world = await BridgeWorld.StartAsync();
        var made = await world.SubmitAsync("train");
        var id = (await world.UntilAsync("train", job => job.Status?.JobId is not null)).Status!.JobId!;
        var key = made.Spec.JobUid[..8] + "-a1";
        world.Accounting((id, "PREEMPTED", "0:0", key), (id, "NODE_FAIL", "0:0", key));
        (await world.UntilAsync("train", job => job.Status!.Phase == SlurmJobPhase.Failed)).Status!.ShouldSatisfyAllConditions(
            status => status.Reason.ShouldBe("NodeFail"),
            status => status.Infrastructure.ShouldBe(true),
            status => status.RestartCount.ShouldBe(1));
    }

    [Fact]
    public async Task Lost_contact_changes_no_phase_and_ends_cleans_and_repeats_nothing()
    {
        await using var world = await BridgeWorld.StartAsync();
        var made = await world.SubmitAsync("train");
        var id = (await world.UntilAsync("train", job => job.Status?.JobId is not null)).Status!.JobId!;
        var key = made.Spec.JobUid[..8] + "-a1";
        world.Queue((id, "RUNNING", "0", "None", key));
        await world.UntilAsync("train", job => job.Status!.Phase == SlurmJobPhase.Running);
        world.Slurm.NextFault = () => Fault.LostBefore;
        (await world.UntilAsync("train", job => Conditions.IsTrue(job.Status!.Conditions, "ContactLost"))).Status!.Phase.ShouldBe(SlurmJobPhase.Running);
        await world.Api.DeleteAsync<SlurmJob>(new ObjectKey(BridgeWorld.Team, "train"), Deletion.Default, TestContext.Current.CancellationToken);
        await world.UntilAsync("train", job => job.Metadata.DeletionTimestamp is not null);
        world.Slurm.NextFault = () => Fault.None;
        await world.UntilAsync("train", job => !Conditions.IsTrue(job.Status!.Conditions, "ContactLost"));
        await BridgeWorld.UntilAsync(() => world.Cancels().Contains(id));
        Directory.Exists(Path.Combine(world.Slurm.Root, key)).ShouldBeTrue("it has not ended yet");
        world.Queue((id, "COMPLETING", "0", "None", key));
        await world.UntilAsync("train", job => job.Status!.Phase == SlurmJobPhase.Terminating);
        Directory.Exists(Path.Combine(world.Slurm.Root, key)).ShouldBeTrue("it has not ended yet");
        world.Queue((id, "CANCELLED", "15", "None", key));
        await BridgeWorld.UntilAsync(() => world.Job("train") is null);
        Directory.Exists(Path.Combine(world.Slurm.Root, key)).ShouldBeFalse();
        world.Slurm.Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_running_job_is_told_to_end_before_it_is_ended_and_one_from_outside_is_respected()
    {
        await using var world = await BridgeWorld.StartAsync();
        var made = await world.SubmitAsync("train");
        var id = (await world.UntilAsync("train", job => job.Status?.JobId is not null)).Status!.JobId!;
        var key = made.Spec.JobUid[..8] + "-a1";
        world.Queue((id, "RUNNING", "0", "None", key));
        await world.UntilAsync("train", job => job.Status!.Phase == SlurmJobPhase.Running);
        await world.Api.PatchAsync<SlurmJob>(new ObjectKey(BridgeWorld.Team, "train"), new Patch(PatchKind.Merge, CancelPatch.DeepClone()), TestContext.Current.CancellationToken);
        await BridgeWorld.UntilAsync(() => world.Cancels().Length >= 2);
        world.Cancels()[..2].ShouldBe([$"--signal=TERM {id}", id]);
        world.Queue((id, "CANCELLED", "15", "None", key));
        (await world.UntilAsync("train", job => job.Status!.Phase == SlurmJobPhase.Cancelled)).Metadata.Finalizers.ShouldNotBeEmpty();

        var second = await world.SubmitAsync("other");
        var other = (await world.UntilAsync("other", job => job.Status?.JobId is not null)).Status!.JobId!;
        world.Queue((other, "CANCELLED", "0", "None", second.Spec.JobUid[..8] + "-a1"));
        (await world.UntilAsync("other", job => job.Status!.Phase == SlurmJobPhase.Cancelled)).Status!.Reason.ShouldBe("Cancelled");
        world.Slurm.Jobs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_job_that_is_cancelled_while_nobody_knows_whether_it_was_sent_is_looked_for_and_ended()
    {
        await using var world = await BridgeWorld.StartAsync();
        world.Slurm.SetMode(1, "lost");
        var made = await world.SubmitAsync("train");
        await world.UntilAsync("train", job => job.Status?.Reason == "InDoubt");
        await world.Api.PatchAsync<SlurmJob>(new ObjectKey(BridgeWorld.Team, "train"), new Patch(PatchKind.Merge, CancelPatch.DeepClone()), TestContext.Current.CancellationToken);
        await world.StopAsync();
        world.Start();
        await world.UntilAsync("train", job => job.Status!.JobId == "1");
        world.Queue(("1", "PENDING", "0", "Priority", made.Spec.JobUid[..8] + "-a1"));
        await BridgeWorld.UntilAsync(() => world.Cancels().Contains("1"));
    }

    [Fact]
    public async Task What_can_not_be_sent_says_why_in_one_sentence()
    {
        await using var world = await BridgeWorld.StartAsync();
        await world.SubmitAsync("stranger", ns: "nobody");
        (await world.UntilAsync("stranger", job => job.Status?.Phase == SlurmJobPhase.Failed, "nobody")).Status!.Message
            .ShouldBe("namespace nobody is nobody on SlurmCluster alps; an administrator has to add it to spec.users there");
        await world.SubmitAsync("wrap", spec => spec.Options = ["--wrap=id"]);
        (await world.UntilAsync("wrap", job => job.Status?.Phase == SlurmJobPhase.Failed)).Status!.Message.ShouldBe("option '--wrap=id' is none that a job may set; remove it");
        await world.SubmitAsync("elsewhere", spec => spec.Cluster = "none");
        (await world.UntilAsync("elsewhere", job => job.Status?.Reason == "NoCluster")).Status!.Message.ShouldBe("there is no SlurmCluster none; create it or change the job's placement");
        world.Slurm.SetMode(1, "refuse");
        await world.SubmitAsync("nowhere");
        (await world.UntilAsync("nowhere", job => job.Status?.Phase == SlurmJobPhase.Failed)).Status!.Message.ShouldBe("Slurm refuses the job: Invalid partition name specified");
        world.Slurm.Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Secrets_are_in_a_private_file_and_nowhere_else()
    {
        await using var world = await BridgeWorld.StartAsync();
        await world.SubmitAsync("train", spec => spec.SecretRefs = [new NameReference { Name = "token" }]);
        (await world.UntilAsync("train", job => job.Status?.Reason == "Blocked")).Status!.Message.ShouldBe("a Secret of spec.secretRefs is not there; create it");
        await world.SecretAsync(BridgeWorld.Team, "token", "hf", "s3cret\nline");
        var made = await world.SubmitAsync("second", spec => spec.SecretRefs = [new NameReference { Name = "token" }]);
        await world.UntilAsync("second", job => job.Status?.JobId is not null);
        var directory = Path.Combine(world.Slurm.Root, made.Spec.JobUid[..8] + "-a1");
        var file = Path.Combine(directory, "secrets");
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldBe($"token/hf {Convert.ToBase64String("s3cret\nline"u8)}\n");
        File.GetUnixFileMode(directory).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.GetFiles(world.Slurm.PathOf("jobs"), "*", SearchOption.AllDirectories).ShouldAllBe(path => !File.ReadAllText(path).Contains("s3cret") && !File.ReadAllText(path).Contains("czNjcmV0"));
    }

    [Fact]
    public async Task The_cluster_says_what_it_has_and_what_is_wrong_with_it()
    {
        await using var world = await BridgeWorld.StartAsync();
        SlurmClusterStatus? Status() => world.Api.Find<SlurmCluster>(new ObjectKey("", BridgeWorld.Cluster))!.Status;
        await BridgeWorld.UntilAsync(() => Status()?.Reachable == true);
        Status()!.ShouldSatisfyAllConditions(
            status => status.Version.ShouldBe("22.05.8"),
            status => status.Partitions!.ShouldHaveSingleItem().Gpus!.Free.ShouldBe(5),
            status => status.Message.ShouldBeNull(),
            status => Conditions.IsTrue(status.Conditions, "Ready").ShouldBeTrue());
        await world.Api.PatchAsync<SlurmCluster>(
            new ObjectKey("", BridgeWorld.Cluster),
            new Patch(PatchKind.Merge, System.Text.Json.Nodes.JsonNode.Parse("""{"spec":{"ssh":{"knownHostsSecretRef":{"name":"gone"}}}}""")!),
            TestContext.Current.CancellationToken);
        await BridgeWorld.UntilAsync(() => Status()?.Reachable == false);
        Status()!.Message.ShouldBe("there is no Secret trestle-system/gone for user researcher; create it with the entry known_hosts");
        Status()!.Version.ShouldBe("22.05.8");
    }

    [Fact]
    public async Task People_read_logs_with_a_token_of_the_log_account_of_the_namespace_and_with_no_other()
    {
        await using var world = await BridgeWorld.StartAsync();
        world.Api.Tokens = token => token switch
        {
            "good" => ("system:serviceaccount:team:trestle-logs", "trestle-logs"),
            "of-another-namespace" => ("system:serviceaccount:other:trestle-logs", "trestle-logs"),
            "of-another-account" => ("system:serviceaccount:team:default", "trestle-logs"),
            "for-the-api-server" => ("system:serviceaccount:team:trestle-logs", "https://kubernetes.default.svc"),
            _ => null,
        };
        var made = await world.SubmitAsync("train");
        await world.UntilAsync("train", job => job.Status?.JobId is not null);
        await File.WriteAllTextAsync(Path.Combine(world.Slurm.Root, made.Spec.JobUid[..8] + "-a1", "rank-0.log"), "one\n", TestContext.Current.CancellationToken);
        await BridgeWorld.UntilAsync(() => world.Api.Find<V1ServiceAccount>(new ObjectKey("team", "trestle-logs")) is not null);
        world.Api.Find<V1ServiceAccount>(new ObjectKey("team", "trestle-logs"))!.ShouldSatisfyAllConditions(
            account => account.Metadata.Annotations["trestle.dev/logs-at"].ShouldBe("/proxied"),
            account => account.AutomountServiceAccountToken.ShouldBe(false));

        using var http = new HttpClient { BaseAddress = new Uri(world.LogsUrl!) };
        async Task<(HttpStatusCode, string)> Get(string job, string? token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/logs/{job}/0", UriKind.Relative));
            if (token is not null) request.Headers.Add("Trestle-Log-Token", token);
            using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        (await Get("team/train", "good")).ShouldBe((HttpStatusCode.OK, "one\n"));
        var asked = world.Api.TokenReviews;
        (await Get("team/train", "good")).ShouldBe((HttpStatusCode.OK, "one\n"));
        world.Api.TokenReviews.ShouldBe(asked, "what was said a moment ago holds");
        (await Get("team/gone", "good")).Item1.ShouldBe(HttpStatusCode.NotFound);
        foreach (var wrong in new[] { null, "", "made-up", "of-another-namespace", "of-another-account", "for-the-api-server", new string('x', 9000) })
        {
            (await Get("team/train", wrong)).Item1.ShouldBe(HttpStatusCode.Forbidden, wrong);
            (await Get("team/gone", wrong)).Item1.ShouldBe(HttpStatusCode.Forbidden, "whether there is such a job is not told");
        }
    }

    [Fact]
    public async Task Logs_are_read_by_offset_tailed_and_followed_to_the_end()
    {
        await using var world = await BridgeWorld.StartAsync();
        var made = await world.SubmitAsync("train");
        var job = await world.UntilAsync("train", job => job.Status?.JobId is not null);
        var key = made.Spec.JobUid[..8] + "-a1";
        var file = Path.Combine(world.Slurm.Root, key, "rank-1.log");
        await File.WriteAllTextAsync(file, "one\ntwo\nthree\n", TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = new Uri(world.LogsUrl!) };
        (await http.GetAsync(new Uri("/logs/team/train/1", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var secret = world.Api.Find<V1Secret>(new ObjectKey("trestle-system", "trestle-bridge"))!;
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", new LogKey(secret.Data["key"]).Token(job.Metadata.Uid));
        async Task<string> Get(string query) => await http.GetStringAsync(new Uri("/logs/team/train/" + query, UriKind.Relative), TestContext.Current.CancellationToken);
        (await Get("1")).ShouldBe("one\ntwo\nthree\n");
        (await Get("1?offset=4")).ShouldBe("two\nthree\n");
        (await Get("1?tail=1")).ShouldBe("three\n");
        (await Get("1?tail=0")).ShouldBe("");
        (await http.GetAsync(new Uri("/logs/team/train/7", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await http.GetAsync(new Uri("/logs/team/gone/1", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        foreach (var wrong in new[] { "x", "1?offset=-1", "1?tail=-1", "1?offset=1&tail=1", "../1" })
            (await http.GetAsync(new Uri("/logs/team/train/" + wrong, UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.NotFound, wrong);

        var following = Get("1?offset=8&follow=true");
        var big = new string('x', LogFile.MostBytes + 1000);
        await File.AppendAllTextAsync(file, big + "\nfour\n", TestContext.Current.CancellationToken);
        world.Queue((job.Status!.JobId!, "COMPLETED", "0", "None", key));
        (await following).ShouldBe("three\n" + big + "\nfour\n");
    }

    [Fact]
    public async Task Two_bridges_never_serve_one_cluster_at_the_same_time()
    {
        await using var world = await BridgeWorld.StartAsync();
        await world.SubmitAsync("first");
        await world.UntilAsync("first", job => job.Status?.JobId is not null);
        await using var second = new BridgeWorld { Api = world.Api, Nodes = world.Slurm };
        second.Start();
        await BridgeWorld.UntilAsync(() => second.Health.IsReady);
        await world.SubmitAsync("second");
        await world.UntilAsync("second", job => job.Status?.JobId is not null);
        var lease = world.Api.Find<V1Lease>(new ObjectKey("trestle-system", "trestle-bridge-alps"))!;
        var holder = lease.Spec.HolderIdentity;
        await world.StopAsync();
        await BridgeWorld.UntilAsync(() => world.Api.Find<V1Lease>(new ObjectKey("trestle-system", "trestle-bridge-alps"))!.Spec.HolderIdentity is { Length: > 0 } now && now != holder);
        await world.SubmitAsync("third");
        await world.UntilAsync("third", job => job.Status?.JobId is not null);
        world.Slurm.Jobs.Count.ShouldBe(3);
    }
}
