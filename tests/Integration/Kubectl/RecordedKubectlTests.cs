using System.Text.RegularExpressions;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Kubectl;

/// <summary>The 26 recorded commands, run by a real kubectl against the one-machine API server, print what they printed.</summary>
public sealed partial class RecordedKubectlTests
{
    private static readonly string Samples = RepositoryFiles.Path("tests", "Samples", "kubernetes");

    [Fact]
    public async Task Kubectl_prints_what_it_printed_on_a_real_cluster()
    {
        await using var session = await KubectlSession.StartAsync();
        await PrepareAsync(session);
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

    // The files and objects that the recorded commands speak of.
    private static async Task PrepareAsync(KubectlSession session)
    {
        const string kind = "TrainingJob";
        session.Manifest(kind, "kc", "{run: \"true\", nodes: 2}", "a.yaml");
        session.Manifest(kind, "kc", "{run: \"true\", nodes: 3}", "b.yaml");
        session.Manifest(kind, "kc", "{run: \"true\", nodes: 0}", "bad.yaml");
        session.Manifest(kind, "kc", "{run: \"true\", nodez: 2}", "typo.yaml");
        var crd = (await File.ReadAllTextAsync(Path.Combine(Samples, "api", "005-crd-create.txt"))).Split("\n--- ")[0];
        await CreateAsync(session, session.Files.Write("crd.json", crd[crd.IndexOf("\n\n", StringComparison.Ordinal)..]));
        foreach (var name in (string[])["a", "c", "e", "ssa", "ws", "yy"])
            await CreateAsync(session, session.Manifest(kind, name, $"{{run: \"true\", nodes: {(name is "a" or "ssa" ? 3 : 1)}}}", "made.yaml"));
        await CreateAsync(session, session.Files.Write("gen.yaml", "{apiVersion: trestle.dev/v1alpha1, kind: TrainingJob, metadata: {generateName: gen-}, spec: {run: x}}"));
        await CreateAsync(session, session.Files.Write("pod.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: bad}, spec: {containers: [{name: t, image: x}]}}"));
        await CreateAsync(session, session.Files.Write("service.yaml", "{apiVersion: v1, kind: Service, metadata: {name: h}, spec: {clusterIP: None, ports: [{port: 29400}]}}"));
        await SetPhaseAsync(session, "a", "Running");
        await SetPhaseAsync(session, "ssa", "Queued");
    }

    private static async Task CreateAsync(KubectlSession session, string file) => (await session.RunAsync("create", "-f", file)).ShouldExit(0);

    private static async Task SetPhaseAsync(KubectlSession session, string name, string phase) =>
        (await session.RunAsync("patch", "tj", name, "--subresource=status", "--type=merge", "-p", $"{{\"status\":{{\"phase\":\"{phase}\"}}}}")).ShouldExit(0);

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

    [GeneratedRegex(@" (?:\d+[smh])+(?=\s|$)", RegexOptions.Multiline)]
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
}
