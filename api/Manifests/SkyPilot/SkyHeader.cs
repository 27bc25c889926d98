using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>The first document of a job group.</summary>
internal sealed class SkyHeader
{
    private static readonly string[] OnlyInHeaders = ["execution", "primary_tasks", "termination_delay", "inter_connection"];

    public SkyHeader(Notes notes, YamlMap map)
    {
        Line = map.Line;
        new KeyTable("the first document of a job group", notes)
        {
            ["name"] = entry => Name = notes.Text(entry),
            ["execution"] = entry => Execution = notes.Text(entry),
            ["primary_tasks"] = entry => Primaries = entry,
            ["termination_delay"] = entry => Delay = entry,
            ["inter_connection"] = entry => InterConnection(entry, notes),
        }.Read(map);
        if (Name is null)
        {
            notes.Error(Line, "a job group needs a name; write e.g. name: train-eval");
        }

        if (Execution != "parallel")
        {
            notes.Error(map.Find("execution")?.Line ?? Line, Execution is null or "serial"
                ? "tasks one after another (execution: serial) are not supported; write execution: parallel for a group, or launch the tasks one by one"
                : $"execution must be parallel, not '{Notes.Shown(Execution)}'");
        }
        else
        {
            notes.Mapped(map.Find("execution")!.Line, "execution: parallel → a JobGroup");
        }
    }

    public int Line { get; }

    public string? Name { get; private set; }

    public string? Execution { get; private set; }

    public YamlEntry? Primaries { get; private set; }

    public YamlEntry? Delay { get; private set; }

    /// <summary>A document that says something about a group, or nothing but a name.</summary>
    public static bool IsHeader(YamlMap document) =>
        document.Entries.Any(entry => OnlyInHeaders.Contains(entry.Key)) || document.Entries is [{ Key: "name" }];

    private static void InterConnection(YamlEntry entry, Notes notes)
    {
        if (notes.Truth(entry) == false)
        {
            notes.NeedsYou(entry.Line, "inter_connection: false means nothing here: the hosts of a group always reach each other");
        }
        else
        {
            notes.Mapped(entry.Line, "inter_connection; the hosts of a group always reach each other");
        }
    }
}
