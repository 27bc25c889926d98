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
        var objects = documents.Select(document => ReadOne(document, notes)).ToArray();
        return notes.Errors.Count > 0
            ? new ManifestResult { Errors = notes.Errors }
            : new ManifestResult { Objects = [.. objects.OfType<IKubernetesObject<V1ObjectMeta>>()] };
    }

    private static IKubernetesObject<V1ObjectMeta>? ReadOne(YamlMap document, Notes notes)
    {
        if (Type(document, notes) is not { } type)
        {
            return null;
        }

        var before = notes.Errors.Count;
        var json = new StrictReader(notes).Read(document, type, "");
        CheckName(document, notes);
        if (notes.Errors.Count > before)
        {
            return null;
        }

        try
        {
            return (IKubernetesObject<V1ObjectMeta>?)json.Deserialize(type);
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            notes.Error(document.Line, $"{document.Find("kind")!.Value.ToJson()} can't be read: {Notes.Shown(error.Message)}");
            return null;
        }
    }

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
