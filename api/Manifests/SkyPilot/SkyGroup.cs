using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>A header and its tasks → a JobGroup.</summary>
internal sealed class SkyGroup
{
    private const int MaxName = 50;
    private const int MaxTasks = 32;
    private readonly Notes _notes;
    private readonly SkyHeader _header;
    private readonly IReadOnlyList<SkyTask> _tasks;

    // As written → as hosts are called.
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    public SkyGroup(Notes notes, YamlMap header, IReadOnlyList<SkyTask> tasks)
    {
        (_notes, _header, _tasks) = (notes, new SkyHeader(notes, header), tasks);
        if (tasks.Count is 0 or > MaxTasks)
        {
            notes.Error(header.Line, tasks.Count == 0
                ? "the group has no task; write each task as a document of its own, after a line of three dashes"
                : $"a group has at most {MaxTasks} tasks, and this has {tasks.Count}");
        }

        foreach (var task in tasks)
        {
            NameTask(task);
        }
    }

    /// <summary>Secrets first, then the group. Not to be used after an error.</summary>
    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Objects()
    {
        var name = _header.Name is { } written ? SkyFile.Name(_notes, "name", written, _header.Line, MaxName) : "";
        var primaries = Primaries();
        var group = new JobGroup
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new JobGroupSpec { TerminationDelay = _header.Delay is { } delay ? Delay(delay) : null },
        };
        if (_notes.Errors.Count > 0)
        {
            return [];
        }

        var secrets = _tasks.SelectMany(task => SkyFile.Secret(task, $"{name}-{_names[task.Name!]}", Labels.JobGroup, name)).ToArray();
        group.Spec.Tasks.AddRange(_tasks.Select(task => Task(task, primaries)));
        return [.. secrets, group];
    }

    // A task of SkyPilot may launch jobs: its watchers do.
    private JobGroupTask Task(SkyTask task, IReadOnlySet<string> primaries)
    {
        task.Spec.SubmitsJobs = true;
        TaskRole? role = primaries.Count == 0 ? null : primaries.Contains(task.Name!) ? TaskRole.Primary : TaskRole.Auxiliary;
        return new JobGroupTask { Name = _names[task.Name!], Role = role, Job = task.Spec };
    }

    private void NameTask(SkyTask task)
    {
        if (task.Name is not { } written)
        {
            _notes.Error(task.Line, "a task of a group needs a name; hosts are named after it");
            return;
        }

        var name = SkyFile.Name(_notes, "name", written, task.Line, MaxName);
        if (_names.ContainsKey(written))
        {
            _notes.Error(task.Line, $"two tasks are called {Notes.Shown(written)}; rename one, because hosts are named after them");
        }
        else if (_names.FirstOrDefault(other => other.Value == name && name.Length > 0).Key is { } other)
        {
            _notes.Error(task.Line, $"the tasks {Notes.Shown(other)} and {Notes.Shown(written)} would both be called {name}; rename one");
        }
        else
        {
            _names[written] = name;
        }
    }

    private HashSet<string> Primaries()
    {
        if (_header.Primaries is not { } entry)
        {
            _notes.Mapped(_header.Line, "no primary_tasks: all tasks are primary, so the group ends when all have ended");
            return [];
        }

        var items = entry.Value switch { YamlList list => list.Items, YamlScalar one => [one], _ => [] };
        if (items.Count == 0)
        {
            _notes.Error(entry.Line, "primary_tasks must be a list of task names, e.g. [trainer]");
        }

        var primaries = items.Select(item => Known((item as YamlScalar)?.Text ?? "", item.Line, "primary_tasks")).OfType<string>().ToHashSet(StringComparer.Ordinal);
        _notes.Mapped(entry.Line, "primary_tasks → role");
        return primaries;
    }

    private TerminationDelay? Delay(YamlEntry entry)
    {
        _notes.Mapped(entry.Line, "termination_delay → terminationDelay");
        if (entry.Value is not YamlMap map)
        {
            return Duration(entry) is { } one ? TerminationDelay.Of(one) : null;
        }

        var delays = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var task in map.Entries)
        {
            var name = task.Key == "default" ? task.Key : Known(task.Key, task.Line, "termination_delay") is { } known ? _names[known] : null;
            if (name is not null && Duration(task) is { } delay)
            {
                delays[name] = delay;
            }
        }

        return TerminationDelay.Of(delays);
    }

    private string? Duration(YamlEntry entry)
    {
        var delay = entry.Value is YamlScalar scalar ? SkyAmounts.Delay(scalar.Text) : null;
        if (delay is null)
        {
            _notes.Error(entry.Line, $"termination_delay must be a duration such as 30s or 5m, or durations by task such as {{default: 30s}}; got {Notes.Shown(entry.Value)}");
        }

        return delay;
    }

    private string? Known(string task, int line, string key)
    {
        if (_names.ContainsKey(task))
        {
            return task;
        }

        _notes.Error(line, $"{key} names the task '{Notes.Shown(task)}', which is not there{NearestName.Hint(task, _names.Keys)}");
        return null;
    }
}
