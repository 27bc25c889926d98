using Trestle.Api.Crds;

namespace Trestle.Api.Tests.Crds;

public sealed class CrdFilesTests
{
    private const string Refresh = "crds/ is stale; run: UPDATE_CRDS=1 dotnet test --project tests/Unit/Api";

    [Fact]
    public void The_files_in_crds_are_what_the_classes_say()
    {
        var folder = Repository.Path("crds");
        var generated = CrdGenerator.Files(XmlDocs.Load(Path.Combine(AppContext.BaseDirectory, "Trestle.Api.xml"))).ToArray();
        if (Environment.GetEnvironmentVariable("UPDATE_CRDS") == "1")
        {
            foreach (var (fileName, yaml) in generated)
            {
                File.WriteAllText(Path.Combine(folder, fileName), yaml);
            }
        }

        Directory.GetFiles(folder, "*.yaml").Select(Path.GetFileName).Order().ShouldBe(generated.Select(file => file.FileName).Order(), Refresh);
        foreach (var (fileName, yaml) in generated)
        {
            File.ReadAllText(Path.Combine(folder, fileName)).ShouldBe(yaml, $"{fileName}: {Refresh}");
        }
    }

    [Fact]
    public void Every_kind_is_embedded_in_the_assembly() =>
        CrdManifests.All.Select(manifest => manifest.Name).ShouldBe(
            ["inferenceservices", "jobgroups", "queues", "slurmclusters", "slurmjobs", "storages", "trainingjobs"]);
}
