using System.Text.Json.Nodes;
using Trestle.Api.Yaml;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Charts;

/// <summary>The real Helm, for the chart of this source tree.</summary>
internal sealed class Helm
{
    private readonly string _program;

    private Helm(string program) => _program = program;

    public static string Chart { get; } = RepositoryFiles.Path("charts", "trestle");

    public static async Task<Helm> FindAsync()
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(directory => Path.Combine(directory, "helm")).FirstOrDefault(File.Exists);
        var version = found is null ? "none" : (await Command.RunAsync(found, ["version", "--short"])).Out.Trim();
        var isExpected = version.StartsWith("v4.1.", StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("CI") == "true") isExpected.ShouldBeTrue($"these tests need Helm 4.1 on the PATH, found {version}");
        Assert.SkipUnless(isExpected, $"these tests need Helm 4.1 on the PATH (eng/kubectl.sh gets it), found {version}");
        return new Helm(found!);
    }

    public Task<CommandResult> RunAsync(params string[] arguments) => Command.RunAsync(_program, arguments);

    /// <summary>The chart as release `trestle` in `trestle-system`.</summary>
    public Task<CommandResult> TemplateAsync(params string[] arguments) => RunAsync(["template", "trestle", Chart, "--namespace", "trestle-system", .. arguments]);

    public async Task<IReadOnlyList<JsonObject>> ObjectsAsync(params string[] arguments) => Objects((await TemplateAsync(arguments)).ShouldExit(0).Out);

    public static IReadOnlyList<JsonObject> Objects(string yaml) => [.. YamlDocuments.Read(yaml).Select(document => document.ToJson()).OfType<JsonObject>()];
}
