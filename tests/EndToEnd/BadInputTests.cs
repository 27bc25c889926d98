using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>Bad input gets one clear sentence and the right exit code, and leaves nothing half made.</summary>
public sealed class BadInputTests(FourNodes nodes) : IClassFixture<FourNodes>
{
    private const string Job = """
        apiVersion: trestle.dev/v1alpha1
        kind: TrainingJob
        metadata: {name: NAME}
        spec:
        """;

    private LocalPlane Plane => nodes.Plane;

    [Fact]
    public async Task An_unknown_key_is_refused_with_the_nearest_name()
    {
        var refused = await LaunchAsync("unknown-key", "  node: 4\n  run: echo hi\n");
        refused.ShouldExit(1);
        OneSentence(refused).ShouldContain("nodes");
        await ShouldNotExistAsync("unknown-key");
    }

    [Fact]
    public async Task An_unknown_SkyPilot_key_is_refused_with_the_nearest_name()
    {
        var refused = await Plane.TrestleAsync("launch", Plane.Files.Write("sky.yaml", "name: sky\nnum_node: 4\nrun: echo hi\n"));
        refused.ShouldExit(1);
        OneSentence(refused).ShouldContain("num_nodes");
        await ShouldNotExistAsync("sky");
    }

    [Fact]
    public async Task Malformed_accelerators_are_refused_with_an_example()
    {
        var refused = await LaunchAsync("accelerators", "  resources: {accelerators: 'H100:x'}\n  run: echo hi\n");
        refused.ShouldExit(1);
        OneSentence(refused).ShouldContain("H100:8");
        await ShouldNotExistAsync("accelerators");
    }

    [Fact]
    public async Task A_duplicate_task_name_is_refused()
    {
        var refused = await Plane.TrestleAsync("launch", Plane.Files.Write("twice.yaml", """
            name: twice
            execution: parallel
            ---
            name: same
            run: echo one
            ---
            name: same
            run: echo two
            """));
        refused.ShouldExit(1);
        OneSentence(refused).ShouldContain("same");
        (await Plane.JobGroupAsync("twice")).ShouldBeNull();
    }

    [Fact]
    public async Task A_second_job_of_one_name_is_refused_and_the_first_stays()
    {
        (await LaunchAsync("twin", "  run: echo first\n")).ShouldExit(0);
        var uid = (string?)(await Plane.TrainingJobAsync("twin"))!["metadata"]!["uid"];
        var refused = await LaunchAsync("twin", "  run: echo second\n");
        refused.ShouldExit(1);
        OneSentence(refused).ShouldContain("twin");
        ((string?)(await Plane.TrainingJobAsync("twin"))!["metadata"]!["uid"]).ShouldBe(uid);
    }

    [Fact]
    public async Task A_run_that_is_not_text_is_refused()
    {
        var refused = await LaunchAsync("binary", "  run: !!binary AAECAwQF/w==\n");
        refused.ShouldExit(1);
        OneSentence(refused).ShouldContain("run");
        await ShouldNotExistAsync("binary");
    }

    [Fact]
    public async Task A_run_that_cannot_be_executed_fails_with_its_reason()
    {
        (await LaunchAsync("not-a-program", "  recovery: {maxRestarts: 0}\n  run: |\n    #!/no/such/interpreter\n    hello\n")).ShouldExit(0);
        var ended = await Plane.PhaseAsync("trainingjobs", "not-a-program", ["Failed"]);
        ((string?)ended["status"]!["message"]).ShouldNotBeNullOrEmpty();
        ((int)ended["status"]!["exit"]!["code"]!).ShouldBeOneOf(126, 127);
    }

    [Fact]
    public async Task A_manifest_over_the_size_limit_is_refused()
    {
        var refused = await LaunchAsync("huge", $"  run: |\n    echo {new string('x', 4_000_000)}\n");
        refused.ShouldExit(1);
        OneSentence(refused).Length.ShouldBeLessThan(400);
        await ShouldNotExistAsync("huge");
    }

    [Fact]
    public async Task Impossible_resources_stay_queued_and_say_what_is_missing()
    {
        (await LaunchAsync("impossible", "  nodes: 5\n  resources: {accelerators: 'H100:8'}\n  run: echo hi\n")).ShouldExit(0);
        await Plane.UntilAsync("the job says what is missing", async () =>
            (await Plane.TrainingJobAsync("impossible"))!["status"] is { } status
            && (string?)status["phase"] == "Queued" && ((string?)status["queue"]?["reason"])?.Contains("H100", StringComparison.Ordinal) == true);
        (await Plane.TrestleAsync("queue")).ShouldExit(0).Out.ShouldContain("impossible");
        (await Plane.TrestleAsync("cancel", "impossible")).ShouldExit(0);
        await Plane.PhaseAsync("trainingjobs", "impossible", ["Cancelled"]);
    }

    [Fact]
    public async Task A_mode_that_buckets_have_not_got_yet_is_named()
    {
        (await Plane.TrestleAsync("launch", Plane.Files.Write("s3.yaml", """
            apiVersion: trestle.dev/v1alpha1
            kind: Storage
            metadata: {name: far-away}
            spec: {s3: {bucket: far-away}}
            ---
            apiVersion: trestle.dev/v1alpha1
            kind: TrainingJob
            metadata: {name: needs-s3}
            spec:
              mounts: [{path: /data, storage: far-away, mode: Mount}]
              run: echo hi
            """))).ShouldExit(0);
        var status = (await Plane.PhaseAsync("trainingjobs", "needs-s3", ["Failed"]))["status"]!;
        ((string?)status["message"]).ShouldStartWith("the mount at /data is of a bucket and has mode Mount");
    }

    [Fact]
    public async Task A_job_that_is_not_there_is_exit_code_3()
    {
        var refused = await Plane.TrestleAsync("describe", "nobody");
        refused.ShouldExit(3);
        OneSentence(refused).ShouldContain("nobody");
    }

    [Fact]
    public async Task A_wrong_option_is_exit_code_2()
    {
        (await Plane.TrestleAsync("queue", "--no-such-option")).ShouldExit(2);
    }

    [Fact]
    public async Task An_unreachable_API_server_is_named()
    {
        var kubeconfig = Plane.Files.Write("elsewhere", (await File.ReadAllTextAsync(Plane.Kubeconfig, TestContext.Current.CancellationToken)).Replace(
            new Uri(ServerIn(await File.ReadAllTextAsync(Plane.Kubeconfig, TestContext.Current.CancellationToken))).Authority, "127.0.0.1:1", StringComparison.Ordinal));
        var refused = await TrestleProgram.RunAsync(["queue"], new Dictionary<string, string?> { ["KUBECONFIG"] = kubeconfig });
        refused.ShouldExit(1);
        OneSentence(refused).ShouldContain("127.0.0.1:1");
    }

    private static string ServerIn(string kubeconfig) =>
        kubeconfig.Split('\n').Select(line => line.Trim()).First(line => line.StartsWith("server:", StringComparison.Ordinal))["server:".Length..].Trim().Trim('"');

    private static string OneSentence(CommandResult result)
    {
        var lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(1, result.ToString());
        lines[0].ShouldStartWith("trestle: ");
        return lines[0];
    }

    private Task<CommandResult> LaunchAsync(string name, string spec) =>
        Plane.TrestleAsync("launch", Plane.Files.Write($"{name}.yaml", Job.Replace("NAME", name, StringComparison.Ordinal) + "\n" + spec));

    private async Task ShouldNotExistAsync(string name) => (await Plane.TrainingJobAsync(name)).ShouldBeNull();
}
