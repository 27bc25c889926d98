using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests;

/// <summary>Documents with apiVersion and kind → objects.</summary>
internal static class ObjectDocuments
{
    public static ManifestResult Read(IReadOnlyList<YamlMap> documents, Notes notes)
    {
        var workdirs = new List<(IHasWorkdir Spec, string Path)>();
        var objects = documents.Select(document => ReadOne(document, notes, workdirs)).ToArray();
        return notes.Errors.Count > 0
            ? new ManifestResult { Errors = notes.Errors }
            : new ManifestResult { Objects = [.. objects.OfType<IKubernetesObject<V1ObjectMeta>>()], LocalWorkdirs = workdirs, IsRelativeToFile = true };
    }

    private static IKubernetesObject<V1ObjectMeta>? ReadOne(YamlMap document, Notes notes, List<(IHasWorkdir Spec, string Path)> workdirs)
    {
        if (Type(document, notes) is not { } type)
        {
            return null;
        }

        var before = notes.Errors.Count;
        var reader = new StrictReader(notes);
        var json = reader.Read(document, type, "");
        CheckName(document, notes);
        if (notes.Errors.Count > before)
        {
            return null;
        }

        try
        {
            var read = (IKubernetesObject<V1ObjectMeta>?)json.Deserialize(type);
            if (read is not null) workdirs.AddRange(Specs(read).Where(spec => reader.Workdirs.ContainsKey(spec.Path)).Select(spec => (spec.Spec, reader.Workdirs[spec.Path])));
            return read;
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            notes.Error(document.Line, $"{document.Find("kind")!.Value.ToJson()} can't be read: {Notes.Shown(error.Message)}");
            return null;
        }
    }

    private static IEnumerable<(IHasWorkdir Spec, string Path)> Specs(IKubernetesObject<V1ObjectMeta> read) => read switch
    {
        TrainingJob job => [(job.Spec, "spec.workdir")],
        InferenceService service => [(service.Spec, "spec.workdir")],
        JobGroup group => group.Spec.Tasks.Index().Where(task => task.Item.Job is not null || task.Item.Service is not null)
            .Select(task => task.Item.Job is { } job ? ((IHasWorkdir)job, $"spec.tasks[{task.Index}].job.workdir") : (task.Item.Service!, $"spec.tasks[{task.Index}].service.workdir")),
        _ => [],
    };

    private static JsonTypeInfo? Type(YamlMap document, Notes notes)
    {
        if (document.Find("kind") is not { Value.IsNull: false } kind)
        {
            notes.Error(document.Line, $"kind is missing; write e.g. kind: {TrainingJob.KubeKind}");
            return null;
        }

        if (notes.Text(kind) is not { } name)
        {
            return null;
        }

        if (!ManifestKinds.TryFind(name, out var known))
        {
            notes.Error(kind.Line, $"kind {Notes.Shown(name)} can't be launched{NearestName.Hint(name, ManifestKinds.Names)}");
            return null;
        }

        var version = document.Find("apiVersion");
        if ((version?.Value as YamlScalar)?.Text != known.ApiVersion)
        {
            notes.Error(version?.Line ?? kind.Line, $"apiVersion of a {name} must be {known.ApiVersion}");
            return null;
        }

        return known.Type;
    }

    private static void CheckName(YamlMap document, Notes notes)
    {
        var metadata = document.Find("metadata");
        if (metadata?.Value is not YamlMap map)
        {
            if (metadata is null or { Value.IsNull: true })
            {
                notes.Error(metadata?.Line ?? document.Line, "metadata.name is missing");
            }
        }
        else if (map.Find("name") is null or { Value.IsNull: true } && map.Find("generateName") is null or { Value.IsNull: true })
        {
            notes.Error(metadata.Line, "metadata.name is missing");
        }
    }
}
