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

    [Fact]
    public void The_chart_installs_the_same_definitions()
    {
        var folder = Repository.Path("charts", "trestle", "templates", "crds");
        var templates = CrdGenerator.Files(XmlDocs.Load(Path.Combine(AppContext.BaseDirectory, "Trestle.Api.xml"))).Select(file => (file.FileName, Text: CrdTemplates.Write(file.Yaml))).ToArray();
        if (Environment.GetEnvironmentVariable("UPDATE_CRDS") == "1")
        {
            foreach (var (fileName, text) in templates)
            {
                File.WriteAllText(Path.Combine(folder, fileName), text);
            }
        }

        Directory.GetFiles(folder).Select(Path.GetFileName).Order().ShouldBe(templates.Select(file => file.FileName).Order(), Refresh);
        foreach (var (fileName, text) in templates)
        {
            File.ReadAllText(Path.Combine(folder, fileName)).ShouldBe(text, $"charts/trestle/templates/crds/{fileName}: {Refresh}");
        }
    }

    [Fact]
    public void What_looks_like_a_template_in_a_definition_stays_as_it_is() =>
        CrdTemplates.Write("kind: X\nmetadata:\n  name: x\nspec:\n  text: '{{ no }}'\n").ShouldContain("  text: '{{ \"{{\" }} no }}'\n");
}
