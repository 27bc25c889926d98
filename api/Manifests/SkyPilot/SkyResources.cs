using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>resources of a task → what a node needs, where it may be, and what happens on failures.</summary>
internal sealed class SkyResources(Notes notes, TrainingJobSpec spec)
{
    private const string CloudMachines = "Trestle runs on the nodes of your clusters and makes no machines";

    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["instance_type"] = $"{CloudMachines}; ask with accelerators, cpus and memory",
        ["accelerator_args"] = $"{CloudMachines}; remove it",
    };

    // Harmless to leave out, but a person should know.
    private static readonly Dictionary<string, string> WithoutMeaning = new(StringComparer.Ordinal)
    {
        ["region"] = CloudMachines,
        ["zone"] = CloudMachines,
        ["disk_size"] = "the size of the disk is the node's",
        ["disk_tier"] = "the disk is the node's",
        ["network_tier"] = "the network is the cluster's",
        ["use_spot"] = "for a job that others may preempt set scheduling.preemptible",
        ["ports"] = "the hosts of a group reach each other on every port; nothing is opened to the outside",
        ["labels"] = "labels of cloud machines; for labels of pods use config.kubernetes.pod_config",
        ["autostop"] = "nodes are given back when the job ends",
    };

    public void Read(YamlMap map)
    {
        var table = new KeyTable("resources", notes)
        {
            Refused = Refused,
            ["gpus"] = AcceleratorsOf,
            ["accelerators"] = AcceleratorsOf,
            ["cpus"] = Cpus,
            ["memory"] = Memory,
            ["image_id"] = Image,
            ["infra"] = Infra,
            ["cloud"] = Infra,
            ["any_of"] = Choices,
            ["ordered"] = Choices,
            ["job_recovery"] = entry => SkyRecovery.Read(entry, notes, spec),
            ["priority"] = Priority,
        };
        foreach (var (key, why) in WithoutMeaning)
        {
            table[key] = entry => notes.NeedsYou(entry.Line, $"{key} means nothing here: {why}");
        }

        table.Read(map);
    }

    private Resources Needs => spec.Resources ??= new Resources();

    private void AcceleratorsOf(YamlEntry entry)
    {
        var choices = entry.Value switch
        {
            YamlMap map => map.Entries.Select(choice => (choice.Line, Text: choice.Value.IsNull ? choice.Key : $"{choice.Key}:{(choice.Value as YamlScalar)?.Text}")),
            YamlList list => list.Items.Select(item => (item.Line, Text: (item as YamlScalar)?.Text ?? "")),
            _ => [(entry.Line, Text: ((YamlScalar)entry.Value).Text)],
        };
        foreach (var (line, text) in choices)
        {
            OneAccelerator(entry.Key, text, line);
        }
    }

    private void OneAccelerator(string key, string text, int line)
    {
        if (text is "0" or "none")
        {
            return;
        }

        if (!Accelerators.TryParse(text, out var written, out var error))
        {
            notes.Error(line, error);
            return;
        }

        var accelerators = SkyAmounts.Spelled(written).ToString();
        if (Needs.Accelerators is null)
        {
            Needs.Accelerators = accelerators;
            notes.Mapped(line, $"{key} → accelerators: {accelerators}");
        }
        else if (Needs.Accelerators != accelerators)
        {
            notes.NeedsYou(line, $"a job asks for one kind of accelerator, {Needs.Accelerators}; {accelerators} is left out");
        }
    }

    private void Cpus(YamlEntry entry)
    {
        if (notes.Text(entry) is not { } text)
        {
            return;
        }

        if (SkyAmounts.Cpus(text) is { } cpus)
        {
            Needs.Cpus ??= cpus;
            notes.Mapped(entry.Line, $"cpus → cpus: {cpus}");
            return;
        }

        notes.Error(entry.Line, $"cpus must be a number of cores, e.g. 4 or 4+, not '{Notes.Shown(text)}'");
    }

    private void Memory(YamlEntry entry)
    {
        if (notes.Text(entry) is not { } text)
        {
            return;
        }

        if (SkyAmounts.Memory(text) is { } memory)
        {
            Needs.Memory ??= memory;
            notes.Mapped(entry.Line, $"memory → memory: {memory}");
            return;
        }

        notes.Error(entry.Line, $"memory must be an amount, e.g. 32 (gigabytes), 32+ or 64GB, not '{Notes.Shown(text)}'");
    }

    private void Image(YamlEntry entry)
    {
        const string Docker = "docker:";
        if (notes.Text(entry) is not { } text)
        {
            return;
        }

        if (!text.StartsWith(Docker, StringComparison.Ordinal) || text.Length == Docker.Length)
        {
            notes.Error(entry.Line, $"image_id must be docker:IMAGE, e.g. docker:python:3.12, not '{Notes.Shown(text)}'");
            return;
        }

        spec.Image ??= text[Docker.Length..];
        notes.Mapped(entry.Line, "image_id → image");
    }

    private void Infra(YamlEntry entry)
    {
        if (notes.Text(entry) is not { } text)
        {
            return;
        }

        if (!PlacementText.TryRead(text, out var place))
        {
            notes.Error(entry.Line, $"{entry.Key} must be {PlacementText.Forms}, not '{Notes.Shown(text)}'; {CloudMachines}");
        }
        else if (place is not null)
        {
            Place(place);
            notes.Mapped(entry.Line, place.Slurm is { } slurm ? $"{entry.Key} → placement slurm, cluster {Notes.Shown(slurm.Cluster)}"
                : text.Contains('/', StringComparison.Ordinal) ? $"{entry.Key} → placement kubernetes; the context is the one that the file is launched to"
                : $"{entry.Key} → placement kubernetes");
        }
    }

    private void Place(Placement place)
    {
        spec.Placement ??= [];
        if (!spec.Placement.Any(other => (other.Slurm?.Cluster, other.Slurm?.Partition) == (place.Slurm?.Cluster, place.Slurm?.Partition)))
        {
            spec.Placement.Add(place);
        }
    }

    private void Choices(YamlEntry entry)
    {
        if (entry.Value is not YamlList list || list.Items.Any(item => item is not YamlMap))
        {
            notes.Error(entry.Line, $"{entry.Key} must be a list of resources, e.g. - infra: k8s");
            return;
        }

        notes.Mapped(entry.Line, $"{entry.Key} → placement, tried in this order");
        foreach (var choice in list.Items.Cast<YamlMap>())
        {
            Read(choice);
        }
    }

    private void Priority(YamlEntry entry)
    {
        if (notes.Whole(entry, -1000, 1000) is { } priority)
        {
            (spec.Scheduling ??= new Scheduling()).Priority = priority;
            notes.Mapped(entry.Line, "priority → scheduling.priority");
        }
    }
}
