using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>A SkyPilot file: one task, or a header and the tasks of a job group.</summary>
/// <param name="notes">Where errors and the report go.</param>
/// <param name="given">Variables and secrets that come from elsewhere.</param>
internal sealed class SkyFile(Notes notes, IReadOnlyCollection<string> given)
{
    private const int MaxJobName = 52;
    private const string NoName = "job";

    public ManifestResult Read(IReadOnlyList<YamlMap> documents)
    {
        var header = SkyHeader.IsHeader(documents[0]) || documents.Count > 1 ? documents[0] : null;
        if (header is not null && !SkyHeader.IsHeader(header))
        {
            notes.Error(header.Line, "several tasks need a first document that names their group: name: NAME and execution: parallel");
            return Result([], []);
        }

        SkyTask[] tasks = [.. documents.Skip(header is null ? 0 : 1).Select(document => new SkyTask(notes, given, document))];
        IReadOnlyList<IKubernetesObject<V1ObjectMeta>> objects = header is null ? Single(tasks[0]) : new SkyGroup(notes, header, tasks).Objects();
        return Result(objects, tasks);
    }

    private IKubernetesObject<V1ObjectMeta>[] Single(SkyTask task)
    {
        var name = task.Name is { } written ? Name(notes, "name", written, task.Line, MaxJobName) : null;
        var job = new TrainingJob
        {
            Metadata = name is null ? new V1ObjectMeta { GenerateName = NoName + "-" } : new V1ObjectMeta { Name = name },
            Spec = task.Spec,
        };
        return [.. Secret(task, name ?? NoName, Labels.JobName, name ?? NoName), job];
    }

    private ManifestResult Result(IReadOnlyList<IKubernetesObject<V1ObjectMeta>> objects, IReadOnlyList<SkyTask> tasks) => notes.Errors.Count > 0
        ? new ManifestResult { Errors = notes.Errors, Report = notes.Report }
        : new ManifestResult
        {
            Objects = objects,
            Storages = [.. tasks.SelectMany(task => task.Storages).DistinctBy(storage => storage.Metadata.Name)],
            LocalWorkdirs = [.. tasks.Where(task => task.LocalWorkdir is not null).Select(task => ((IHasWorkdir)task.Spec, task.LocalWorkdir!))],
            Report = notes.Report,
        };

    /// <summary>A name that hosts can have; told when it is not the one written. Empty after an error.</summary>
    public static string Name(Notes notes, string key, string written, int line, int most)
    {
        var name = HostName.Make(written, most);
        if (name.Length == 0)
        {
            notes.Error(line, $"{key} '{Notes.Shown(written)}' has no letter or digit; write one like train-eval");
        }
        else if (name != written)
        {
            notes.NeedsYou(line, $"{key} {Notes.Shown(written)} becomes {name}, because hosts are named after it");
        }

        return name;
    }

    /// <summary>The Secret of a task's secrets, labelled with the job it belongs to; the task refers to it.</summary>
    public static IEnumerable<IKubernetesObject<V1ObjectMeta>> Secret(SkyTask task, string stem, string label, string owner)
    {
        if (task.Secrets.Count == 0)
        {
            yield break;
        }

        var secret = $"{stem}-secrets";
        task.Spec.Env ??= [];
        task.Spec.Env.AddRange(task.Secrets.Keys.Select(key =>
            new EnvVar { Name = key, ValueFrom = new EnvVarSource { SecretKeyRef = new KeySelector { Name = secret, Key = key } } }));
        yield return new V1Secret
        {
            ApiVersion = "v1",
            Kind = "Secret",
            Metadata = new V1ObjectMeta { Name = secret, Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [label] = owner } },
            StringData = new Dictionary<string, string>(task.Secrets, StringComparer.Ordinal),
        };
    }
}
