using Trestle.Testing;

namespace Trestle.Integration.Tests.Kubectl;

/// <summary>Our own definitions on the one-machine API server, as a user of kubectl meets them.</summary>
public sealed class TrestleKindsTests : IAsyncLifetime
{
    private KubectlSession _session = null!;

    public async ValueTask InitializeAsync()
    {
        _session = await KubectlSession.StartAsync();
        (await _session.RunAsync("apply", "-f", RepositoryFiles.Path("crds"))).ShouldExit(0);
        (await _session.RunAsync("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")).ShouldExit(0);
    }

    public ValueTask DisposeAsync() => _session?.DisposeAsync() ?? default;

    [Fact]
    public async Task The_definitions_are_taken_by_server_side_apply_as_well_and_then_differ_in_nothing()
    {
        var crds = RepositoryFiles.Path("crds");
        (await _session.RunAsync("apply", "--server-side", "--force-conflicts", "-f", crds)).ShouldExit(0).Out.Split("serverside-applied").Length.ShouldBe(1 + Directory.GetFiles(crds).Length);
        (await _session.RunAsync("diff", "--server-side", "--force-conflicts", "-f", crds)).ShouldExit(0);
    }

    [Fact]
    public async Task The_examples_are_taken_and_then_differ_in_nothing()
    {
        var examples = RepositoryFiles.Path("examples", "trestle");
        (await _session.RunAsync("apply", "-f", examples)).ShouldExit(0);
        (await _session.RunAsync("diff", "-f", examples)).ShouldExit(0);
        var before = await VersionsAsync();
        (await _session.RunAsync("apply", "-f", examples)).ShouldExit(0);
        (await VersionsAsync()).ShouldBe(before, "what is applied again changes nothing");
    }

    [Fact]
    public async Task A_table_shows_the_columns_of_each_kind()
    {
        await MakeAsync("TrainingJob", "train", "{run: x, nodes: 2, resources: {accelerators: H100:8}}");
        await MakeAsync("JobGroup", "pair", "{tasks: [{name: a, job: {run: x}}]}");
        await MakeAsync("Storage", "ckpts", "{file: {path: /shared}}");
        await StatusAsync("tj", "train", """{"phase":"Running","nodes":{"ready":2},"attempt":3,"message":"all ranks run","restarts":{"counted":1}}""");
        await StatusAsync("jobgroup", "pair", """{"phase":"Running","summary":"1/1"}""");
        await StatusAsync("storage", "ckpts", """{"phase":"Ready","bytes":1234}""");
        (await RowsAsync("get", "tj")).ShouldBe(["NAME PHASE READY NODES ACCELERATORS WHY AGE", "train Running 2 2 H100:8 all ranks run <age>"]);
        (await RowsAsync("get", "tj", "-o", "wide"))[1].ShouldBe("train Running 2 2 H100:8 all ranks run <age> 3 1");
        (await RowsAsync("get", "jobgroups")).ShouldBe(["NAME PHASE TASKS WHY AGE", "pair Running 1/1 <age>"]);
        (await RowsAsync("get", "storages")).ShouldBe(["NAME PHASE BUCKET PATH BYTES WHY AGE", "ckpts Ready /shared 1234 <age>"]);
        (await RowsAsync("get", "trestle", "-o", "name")).ShouldBe(["jobgroup.trestle.dev/pair", "storage.trestle.dev/ckpts", "trainingjob.trestle.dev/train"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_job_is_watched_waited_for_described_and_deleted()
    {
        await MakeAsync("TrainingJob", "watched", "{run: x}");
        await using var watch = _session.Start("get", "tj", "watched", "-w", "--no-headers");
        await Condition.UntilAsync("the watch shows the job", () => watch.Out.Contains("watched", StringComparison.Ordinal));
        await using var wait = _session.Start("wait", "--for=condition=Complete", "tj/watched", "--timeout=60s");
        await StatusAsync("tj", "watched", """{"phase":"Succeeded","message":"it is over","conditions":[{"type":"Complete","status":"True"}]}""");
        (await wait.EndAsync()).ShouldExit(0);
        await Condition.UntilAsync("the watch shows its end", () => watch.Out.Contains("Succeeded", StringComparison.Ordinal));
        (await _session.RunAsync("describe", "tj", "watched")).ShouldExit(0).Out.ShouldContain("it is over");
        (await _session.RunAsync("delete", "tj", "watched")).ShouldExit(0);
        (await _session.RunAsync("get", "tj", "watched")).ShouldExit(1).Error.ShouldBe("Error from server (NotFound): trainingjobs.trestle.dev \"watched\" not found\n");
    }

    [Fact]
    public async Task Logs_are_shown_and_followed_to_the_end()
    {
        (await _session.RunAsync("create", "-f", _session.Files.Write("pod.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: node-0, containers: [{name: main, image: x}]}}"))).ShouldExit(0);
        await StatusAsync("pod", "p", """{"phase":"Running","containerStatuses":[{"name":"main","image":"x","imageID":"","ready":true,"restartCount":0,"state":{"running":{}}}]}""");
        var uid = (await _session.RunAsync("get", "pod", "p", "-o", "jsonpath={.metadata.uid}")).ShouldExit(0).Out.Trim();
        var log = Path.Combine("nodes", "node-0", "pods", uid, "main", "0.log");
        _session.Files.Write(log, "2026-01-01T00:00:01Z stdout F one\n2026-01-01T00:00:02Z stdout F two\n");
        (await _session.RunAsync("logs", "p", "--tail=1")).ShouldExit(0).Out.ShouldBe("two\n");
        await using var follow = _session.Start("logs", "-f", "p");
        await Condition.UntilAsync("what there is was shown", () => follow.Out.Contains("two", StringComparison.Ordinal));
        await File.AppendAllTextAsync(_session.Files[log], "2026-01-01T00:00:03Z stderr F three\n", TestContext.Current.CancellationToken);
        await StatusAsync("pod", "p", """{"phase":"Succeeded","containerStatuses":[{"name":"main","image":"x","imageID":"","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":0}}}]}""");
        (await follow.EndAsync()).ShouldExit(0).Out.ShouldBe("one\ntwo\nthree\n");
    }

    [Fact]
    public async Task Explain_says_what_a_field_means()
    {
        (await _session.RunAsync("explain", "trainingjob.spec.recovery.maxRestarts")).ShouldExit(0).Out.ShouldContain("FIELD: maxRestarts <integer>");
        (await _session.RunAsync("explain", "jobgroup.spec.tasks.job.run")).ShouldExit(0).Out.ShouldContain("FIELD: run <string>");
        (await _session.RunAsync("explain", "storage.spec", "--recursive")).ShouldExit(0).Out.ShouldContain("bucket\t<string> -required-");
    }

    [Fact]
    public async Task Two_appliers_own_their_fields_and_quarrel_over_the_same_one()
    {
        var file = _session.Manifest("TrainingJob", "shared", "{run: x, scheduling: {priority: 1}}");
        (await _session.RunAsync("apply", "--server-side", "-f", file)).ShouldExit(0);
        var other = _session.Manifest("TrainingJob", "shared", "{run: x, scheduling: {priority: 2}}", "other.yaml");
        (await _session.RunAsync("apply", "--server-side", "--field-manager=other", "-f", other)).ShouldExit(1).Error.ShouldContain(".spec.scheduling.priority");
        (await _session.RunAsync("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", other)).ShouldExit(0);
        (await _session.RunAsync("get", "tj", "shared", "-o", "jsonpath={.spec.scheduling.priority}")).ShouldExit(0).Out.ShouldBe("2\n");
    }

    private async Task<string> VersionsAsync() =>
        (await _session.RunAsync("get", "tj,jobgroups", "-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.resourceVersion} {.metadata.generation};{end}")).ShouldExit(0).Out;

    private async Task MakeAsync(string kind, string name, string spec) => (await _session.RunAsync("create", "-f", _session.Manifest(kind, name, spec))).ShouldExit(0);

    private async Task StatusAsync(string kind, string name, string status) =>
        (await _session.RunAsync("patch", kind, name, "--subresource=status", "--type=merge", "-p", $"{{\"status\":{status}}}")).ShouldExit(0);

    // Lines with single spaces; the age last or before the columns of -o wide.
    private async Task<string[]> RowsAsync(params string[] arguments) =>
        [.. (await _session.RunAsync(arguments)).ShouldExit(0).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => w.Length > 1 && char.IsDigit(w[0]) && w[^1] is 's' or 'm' ? "<age>" : w)))];
}
