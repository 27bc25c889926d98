using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Containers;

/// <summary>The images that the chart names, made by the SDK; only the base image is a stand-in.</summary>
public sealed class ImageTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _files = new();
    private FakeRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await FakeRegistry.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        _files.Dispose();
    }

    [Theory]
    [InlineData("operator", "Trestle.Operator.dll", "TRESTLE_RENDEZVOUS_URL")]
    [InlineData("bridge", "Trestle.Bridge.dll", "TRESTLE_LOGS_AT")]
    public async Task An_image_starts_its_program_as_a_user_with_a_number(string folder, string library, string setting)
    {
        var image = await PublishedImage.PublishAsync(_files, _registry, folder);
        ((string?)image.Config["User"]).ShouldBe("1654");
        image.Config["Tags"]!.ToJsonString().ShouldBe($"""["trestle/{folder}:0.1.0"]""");
        image.Config["Entrypoint"]!.ToJsonString().ShouldBe($"""["dotnet","/app/{library}"]""");
        image.Files.ShouldNotContain(file => file.EndsWith(".xml", StringComparison.Ordinal));
        (await Command.RunAsync("dotnet", [Path.Combine(image.Root, "app", library), "--help"])).ShouldExit(0).Out.ShouldContain(setting);
        (await BaseImageAsync(folder)).ShouldEndWith("/dotnet/aspnet:10.0-noble-chiseled");
    }

    [Fact]
    public async Task The_gateway_image_has_a_program_that_pods_find_by_its_name()
    {
        var image = await PublishedImage.PublishAsync(_files, _registry, "weights-gateway");
        ((string?)image.Config["User"]).ShouldBe("1654");
        image.Config["Tags"]!.ToJsonString().ShouldBe("""["trestle/weights-gateway:0.1.0"]""");
        image.Config["Env"]!.AsArray().Select(one => (string)one!).ShouldContain(one => one.StartsWith("PATH=/app:", StringComparison.Ordinal));
        image.Files.ShouldContain("/app/trestle-weights-gateway");
        var library = Path.Combine(image.Root, "app", "trestle-weights-gateway.dll");
        (await Command.RunAsync("dotnet", [library, "gateway", "--help"])).ShouldExit(0).Out.ShouldContain("--request-mebibytes");
        (await Command.RunAsync("dotnet", [library, "filter", "--help"])).ShouldExit(0).Out.ShouldContain("--open-admin");
        (await BaseImageAsync("weights-gateway")).ShouldEndWith("/dotnet/aspnet:10.0-noble-chiseled");
    }

    [Fact]
    public async Task The_node_image_holds_one_native_program_that_pods_find_by_its_name()
    {
        var image = await PublishedImage.PublishAsync(_files, _registry, "node", "-r", "linux-x64");
        ((string?)image.Config["User"]).ShouldBe("1654");
        image.Config["Tags"]!.ToJsonString().ShouldBe("""["trestle/node:0.1.0"]""");
        image.Files.ShouldBe(["/app/trestle-node"]);
        image.Config["Env"]!.AsArray().Select(one => (string)one!).ShouldContain(one => one.StartsWith("PATH=/app:", StringComparison.Ordinal));
        (await BaseImageAsync("node", "-p:RuntimeIdentifier=linux-x64")).ShouldEndWith("/dotnet/runtime-deps:10.0-noble-chiseled");

        // No runtime of this machine helps it: it is given an empty environment.
        var program = Path.Combine(image.Root, "app", "trestle-node");
        await using var rendezvous = await AnsweringAsync("export TRESTLE_NODE_RANK='0'\n");
        var result = await Command.RunAsync("env", ["-i", program, "rendezvous", "--url", rendezvous.Urls.First() + "/rendezvous/u/1/0", "--token-file", _files.Write("token", "t"), "--out", _files["env.sh"]]);
        result.ShouldExit(0);
        (await File.ReadAllTextAsync(_files["env.sh"], TestContext.Current.CancellationToken)).ShouldBe("export TRESTLE_NODE_RANK='0'\n");
        (await Command.RunAsync("env", ["-i", program])).ShouldExit(2).Error.ShouldContain("usage: trestle-node rendezvous");
    }

    // The base image of a release, which the stand-in hides.
    private static async Task<string> BaseImageAsync(string folder, params string[] more) =>
        (await Command.RunAsync("dotnet", ["msbuild", RepositoryFiles.Path(folder), "-nologo", "-p:Configuration=Release", "-t:ComputeContainerBaseImage", "-getProperty:ContainerBaseImage", .. more])).ShouldExit(0).Out.Trim();

    private static async Task<WebApplication> AnsweringAsync(string text)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync(text));
        await app.StartAsync();
        return app;
    }
}
