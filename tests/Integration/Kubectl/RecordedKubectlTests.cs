using System.Text.RegularExpressions;
using Trestle.Local.ApiServer;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Kubectl;

/// <summary>The 26 recorded commands, run by a real kubectl against the one-machine API server, print what they printed.</summary>
public sealed partial class RecordedKubectlTests
{
    private static readonly string Samples = RepositoryFiles.Path("tests", "Samples", "kubernetes");

    [Fact]
    public async Task Kubectl_prints_what_it_printed_on_a_real_cluster()
    {
        var kubectl = await FindKubectlAsync();
        using var state = new TemporaryDirectory();
        await using var server = await ApiServerHost.StartAsync(new ApiServerOptions { StateDirectory = state.FullName }, TestContext.Current.CancellationToken);
        var session = new Session(kubectl, state);
        await session.PrepareAsync();
        foreach (var file in Directory.GetFiles(Path.Combine(Samples, "kubectl"), "*.txt").Order(StringComparer.Ordinal))
        {
            var recorded = RecordedCommand.Read(file);
            var result = await session.RunAsync([.. recorded.Arguments]);
            var name = Path.GetFileName(file);
            Normalize(result.Out).ShouldBe(Normalize(recorded.Out), name);
            Normalize(result.Error).ShouldBe(Normalize(recorded.Error.Replace("}]\n", "", StringComparison.Ordinal)), name);
            result.ExitCode.ShouldBe(recorded.ExitCode, name);
        }
    }

    private static async Task<string> FindKubectlAsync()
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, "kubectl")).FirstOrDefault(File.Exists);
        var version = found is null ? "none" : (await Command.RunAsync(found, ["version", "--client"])).Out;
        var isRecordedOne = version.Contains("v1.35.", StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("CI") == "true") isRecordedOne.ShouldBeTrue($"the recorded commands need kubectl 1.35 on the PATH, found {version}");
        Assert.SkipUnless(isRecordedOne, $"the recorded commands need kubectl 1.35 on the PATH (eng/kubectl.sh gets it), found {version}");
        return found!;
    }

    private static string Normalize(string text)
    {
        text = Uid().Replace(text, "<uid>");
        text = Time().Replace(text, "<time>");
        text = DiffPath().Replace(text, "$1");
        text = Version().Replace(text, "$1<version>");
        text = Generated().Replace(text, "gen-x");
        text = Age().Replace(text, " <age>");
        // Members of an object stand in another order in one quoted document.
        text = Patched().Replace(text, "Invalid value: <patched>: strict");
        return string.Join('\n', text.Split('\n').Select(l => Spaces().Replace(l, " ").Trim()).Where(l => l.Length > 0));
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uid();

    [GeneratedRegex(@"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000)")]
    private static partial Regex Time();

    [GeneratedRegex(@"/\S*/(LIVE|MERGED)-\d+")]
    private static partial Regex DiffPath();

    [GeneratedRegex("""((?i:resource ?version)"?: *"?)\d+""")]
    private static partial Regex Version();

    [GeneratedRegex("gen-[a-z0-9]{5}")]
    private static partial Regex Generated();

    [GeneratedRegex(@" (\d+[smh])+(?=\s|$)", RegexOptions.Multiline)]
    private static partial Regex Age();

    [GeneratedRegex("Invalid value: \".*\": strict")]
    private static partial Regex Patched();

    [GeneratedRegex(" +|\t")]
    private static partial Regex Spaces();

    private sealed record RecordedCommand(IReadOnlyList<string> Arguments, int ExitCode, string Out, string Error)
    {
        public static RecordedCommand Read(string file)
        {
            var text = File.ReadAllText(file);
            var head = text.Split('\n');
            string Section(string from, string to) => text[(text.IndexOf(from, StringComparison.Ordinal) + from.Length)..text.IndexOf(to, StringComparison.Ordinal)];
            const string error = "--- stderr (without the request log)\n";
            return new RecordedCommand(
                head[0]["$ kubectl ".Length..].Split(' '),
                int.Parse(head[1]["exit ".Length..]),
                Section("--- stdout\n", error),
                Section(error, "--- requests"));
        }
    }

    /// <summary>A shell with the files and objects the recorded commands speak of.</summary>
    private sealed class Session(string kubectl, TemporaryDirectory directory)
    {
        public Task<CommandResult> RunAsync(params string[] arguments) => Command.RunAsync(
            kubectl, arguments, new Dictionary<string, string?> { ["KUBECONFIG"] = directory["kubeconfig"], ["HOME"] = directory.FullName }, directory: directory.FullName);

        public async Task PrepareAsync()
        {
            Job("a.yaml", "kc", "nodes: 2");
            Job("b.yaml", "kc", "nodes: 3");
            Job("bad.yaml", "kc", "nodes: 0");
            Job("typo.yaml", "kc", "nodez: 2");
            var crd = File.ReadAllText(Path.Combine(Samples, "api", "005-crd-create.txt")).Split("\n--- ")[0];
            directory.Write("crd.json", crd[crd.IndexOf("\n\n", StringComparison.Ordinal)..]);
            await CreateAsync("crd.json");
            await CreateAsync(Job("made.yaml", "a", "nodes: 3"));
            foreach (var name in (string[])["c", "e", "ws", "yy"]) await CreateAsync(Job("made.yaml", name, "nodes: 1"));
            await CreateAsync(Job("made.yaml", "ssa", "nodes: 3"));
            await CreateAsync(directory.Write("gen.yaml", "{apiVersion: trestle.dev/v1alpha1, kind: TrainingJob, metadata: {generateName: gen-}, spec: {run: x}}"));
            await CreateAsync(directory.Write("pod.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: bad}, spec: {containers: [{name: t, image: x}]}}"));
            await CreateAsync(directory.Write("service.yaml", "{apiVersion: v1, kind: Service, metadata: {name: h}, spec: {clusterIP: None, ports: [{port: 29400}]}}"));
            await SetPhaseAsync("a", "Running");
            await SetPhaseAsync("ssa", "Queued");
        }

        private string Job(string file, string name, string nodes) =>
            directory.Write(file, $"{{apiVersion: trestle.dev/v1alpha1, kind: TrainingJob, metadata: {{name: {name}}}, spec: {{run: \"true\", {nodes}}}}}");

        private async Task CreateAsync(string file) => (await RunAsync("create", "-f", file)).ShouldExit(0);

        private async Task SetPhaseAsync(string name, string phase) =>
            (await RunAsync("patch", "tj", name, "--subresource=status", "--type=merge", "-p", $"{{\"status\":{{\"phase\":\"{phase}\"}}}}")).ShouldExit(0);
    }
}
