using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Containers;

/// <summary>An image as `dotnet publish` writes it to a file, with what it adds to its base unpacked.</summary>
internal sealed class PublishedImage
{
    private const string ConfigFile = "Config";

    private PublishedImage(JsonNode config, string root) => (Config, Root) = (config, root);

    /// <summary>User, Env, Entrypoint and so on.</summary>
    public JsonNode Config { get; }

    /// <summary>Directory that stands for the image's /.</summary>
    public string Root { get; }

    public IEnumerable<string> Files => Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories).Select(file => "/" + Path.GetRelativePath(Root, file));

    /// <summary>Publishes the project of a folder; everything that is built on the way stays in the temporary directory.</summary>
    public static async Task<PublishedImage> PublishAsync(TemporaryDirectory files, FakeRegistry registry, string folder, params string[] more)
    {
        var archive = files[$"{folder}.tar"];
        string[] arguments =
        [
            "publish", RepositoryFiles.Path(folder), "-c", "Release", "-t:PublishContainer", "--artifacts-path", files["artifacts"], "-p:RunAnalyzers=false", "-nologo", "-v", "quiet",
            $"-p:ContainerBaseImage={registry.Address}/base:1", $"-p:ContainerArchiveOutputPath={archive}", .. more,
        ];
        (await Command.RunAsync("dotnet", arguments, new Dictionary<string, string?> { ["DOTNET_CONTAINER_INSECURE_REGISTRIES"] = registry.Address }, TimeSpan.FromMinutes(8))).ShouldExit(0);
        return await ReadAsync(archive, files[$"{folder}-root"]);
    }

    private static async Task<PublishedImage> ReadAsync(string archive, string root)
    {
        var unpacked = Directory.CreateDirectory(archive + ".d").FullName;
        await TarFile.ExtractToDirectoryAsync(archive, unpacked, overwriteFiles: true);
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(unpacked, "manifest.json")))![0]!;
        Directory.CreateDirectory(root);
        foreach (var layer in manifest["Layers"]!.AsArray())
        {
            await using var file = File.OpenRead(Path.Combine(unpacked, (string)layer!));
            await using var zip = new GZipStream(file, CompressionMode.Decompress);
            await TarFile.ExtractToDirectoryAsync(zip, root, overwriteFiles: true);
        }

        var image = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(unpacked, (string)manifest[ConfigFile]!)))!;
        image["config"]!["Tags"] = manifest["RepoTags"]!.DeepClone();
        return new PublishedImage(image["config"]!, root);
    }
}
