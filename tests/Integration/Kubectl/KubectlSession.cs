using Trestle.Local.ApiServer;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Kubectl;

/// <summary>A one-machine API server of its own and a real kubectl that speaks to it.</summary>
internal sealed class KubectlSession : IAsyncDisposable
{
    private readonly string _kubectl;
    private readonly RunningApiServer _server;

    private KubectlSession(string kubectl, TemporaryDirectory files, RunningApiServer server)
    {
        _kubectl = kubectl;
        Files = files;
        _server = server;
    }

    /// <summary>Where kubectl runs; the server's state is in it too.</summary>
    public TemporaryDirectory Files { get; }

    public static async Task<KubectlSession> StartAsync()
    {
        var kubectl = await FindKubectlAsync();
        var files = new TemporaryDirectory();
        return new KubectlSession(kubectl, files, await ApiServerHost.StartAsync(new ApiServerOptions { StateDirectory = files.FullName }, TestContext.Current.CancellationToken));
    }

    public Task<CommandResult> RunAsync(params string[] arguments) => Command.RunAsync(_kubectl, arguments, Environment(), directory: Files.FullName);

    public Command Start(params string[] arguments) => Command.Start(_kubectl, arguments, Environment(), Files.FullName);

    /// <summary>Writes a manifest; flow style keeps it in one line.</summary>
    public string Manifest(string kind, string name, string spec, string? file = null) =>
        Files.Write(file ?? $"{name}.yaml", $"{{apiVersion: trestle.dev/v1alpha1, kind: {kind}, metadata: {{name: {name}}}, spec: {spec}}}");

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Files.Dispose();
    }

    private Dictionary<string, string?> Environment() => new(StringComparer.Ordinal) { ["KUBECONFIG"] = Files["kubeconfig"], ["HOME"] = Files.FullName };

    private static async Task<string> FindKubectlAsync()
    {
        var found = (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, "kubectl")).FirstOrDefault(File.Exists);
        var version = found is null ? "none" : (await Command.RunAsync(found, ["version", "--client"])).Out;
        var isRecordedOne = version.Contains("v1.35.", StringComparison.Ordinal);
        if (System.Environment.GetEnvironmentVariable("CI") == "true") isRecordedOne.ShouldBeTrue($"these tests need kubectl 1.35 on the PATH, found {version}");
        Assert.SkipUnless(isRecordedOne, $"these tests need kubectl 1.35 on the PATH (eng/kubectl.sh gets it), found {version}");
        return found!;
    }
}
