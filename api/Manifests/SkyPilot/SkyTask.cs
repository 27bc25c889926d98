using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>One task of SkyPilot, read into the spec of a job.</summary>
internal sealed class SkyTask
{
    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["service"] = "services are written as kind: InferenceService; see trestle launch --help",
        ["volumes"] = "volumes are not supported; use file_mounts with name: and mode:, or config.kubernetes.pod_config",
        ["pool"] = "pools are not supported; nodes come from the cluster, so remove it",
        ["inputs"] = "inputs are not supported; use file_mounts",
        ["outputs"] = "outputs are not supported; use file_mounts",
    };

    private readonly Notes _notes;
    private readonly SkyVariables _variables;

    public SkyTask(Notes notes, IReadOnlyCollection<string> given, YamlMap map)
    {
        (_notes, Line) = (notes, map.Line);
        // Paths may name variables, wherever those stand in the file.
        _variables = new SkyVariables(notes, given, map);
        Spec.Env = _variables.Plain.Count > 0 ? [.. _variables.Plain] : null;
        new KeyTable("a task", notes)
        {
            Refused = Refused,
            ["name"] = entry => Name = notes.Text(entry),
            ["num_nodes"] = Nodes,
            ["resources"] = Resources,
            ["workdir"] = Workdir,
            ["envs"] = _ => { },
            ["secrets"] = _ => { },
            ["file_mounts"] = Mounts,
            ["setup"] = entry => Spec.Setup = Script(entry),
            ["run"] = entry => Spec.Run = Script(entry) ?? "",
            ["config"] = Config,
        }.Read(map);
        if (map.Find("run") is null or { Value.IsNull: true })
        {
            notes.Error(map.Line, "a task needs run: the commands to run on every node");
        }
    }

    /// <summary>Where the task begins.</summary>
    public int Line { get; }

    /// <summary>As written.</summary>
    public string? Name { get; private set; }

    public TrainingJobSpec Spec { get; } = new();

    /// <summary>Values that go into a Secret.</summary>
    public IReadOnlyDictionary<string, string> Secrets => _variables.Secret;

    /// <summary>Working directory on the machine of the reader.</summary>
    public string? LocalWorkdir { get; private set; }

    /// <summary>Buckets that mounts name.</summary>
    public IReadOnlyList<Storage> Storages { get; private set; } = [];

    private void Nodes(YamlEntry entry)
    {
        Spec.Nodes = _notes.Whole(entry, 1, 10000);
        _notes.Mapped(entry.Line, "num_nodes → nodes");
    }

    private void Resources(YamlEntry entry)
    {
        if (_notes.Map(entry) is { } map)
        {
            new SkyResources(_notes, Spec).Read(map);
        }
    }

    private void Mounts(YamlEntry entry)
    {
        if (_notes.Map(entry) is { } map)
        {
            var mounts = new SkyMounts(_notes, _variables);
            mounts.Read(map);
            Spec.Mounts = mounts.Mounts.Count > 0 ? mounts.Mounts : null;
            Storages = mounts.Storages;
        }
    }

    private string? Script(YamlEntry entry)
    {
        if (_notes.Text(entry) is not { } script)
        {
            return null;
        }

        if (ScriptText.Problem(script) is { } problem)
        {
            _notes.Error(entry.Line, $"{entry.Key} {problem}");
            return null;
        }

        _notes.Mapped(entry.Line, entry.Key);
        return script;
    }

    private void Workdir(YamlEntry entry)
    {
        if (entry.Value is YamlMap git)
        {
            Spec.Workdir = new Workdir { Git = new GitWorkdir() };
            new KeyTable("workdir", _notes)
            {
                ["url"] = url => Spec.Workdir.Git.Url = _notes.Text(url) ?? "",
                ["ref"] = reference => Spec.Workdir.Git.Ref = _notes.Text(reference),
            }.Read(git);
            if (git.Find("url") is null)
            {
                _notes.Error(entry.Line, "workdir needs url: the address of a git repository, or a path");
            }

            _notes.Mapped(entry.Line, "workdir → workdir.git");
        }
        else if (_notes.Text(entry) is { } written)
        {
            WorkdirAt(_variables.Fill(written), entry.Line);
        }
    }

    private void WorkdirAt(string path, int line)
    {
        if (path.Contains("://", StringComparison.Ordinal) || path.StartsWith("git@", StringComparison.Ordinal))
        {
            Spec.Workdir = new Workdir { Git = new GitWorkdir { Url = path } };
            _notes.Mapped(line, "workdir → workdir.git");
            return;
        }

        LocalWorkdir = path;
        _notes.NeedsYou(line, $"workdir: {Notes.Shown(path)} is packed by trestle launch; a manifest for kubectl needs workdir.configMap or workdir.git");
    }

    private void Config(YamlEntry entry)
    {
        if (_notes.Map(entry) is { } map)
        {
            new KeyTable("config", _notes) { ["kubernetes"] = Kubernetes }.Read(map);
        }
    }

    private void Kubernetes(YamlEntry entry)
    {
        if (_notes.Map(entry) is { } map)
        {
            new KeyTable("config.kubernetes", _notes) { ["pod_config"] = PodConfig }.Read(map);
        }
    }

    private void PodConfig(YamlEntry entry)
    {
        Spec.PodTemplate = (JsonObject?)_notes.Map(entry)?.ToJson();
        _notes.PassedThrough(entry.Line, "config.kubernetes.pod_config → podTemplate");
    }
}
