using System.Reflection;
using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Crds;

/// <summary>Attributed classes → CustomResourceDefinitions.</summary>
public static class CrdGenerator
{
    private const string Category = "trestle";

    /// <summary>The kinds, in the order people meet them.</summary>
    public static IReadOnlyList<Type> Kinds { get; } =
        [typeof(TrainingJob), typeof(JobGroup), typeof(InferenceService), typeof(Storage), typeof(Queue), typeof(SlurmCluster), typeof(SlurmJob)];

    /// <summary>File name and text of every definition.</summary>
    public static IEnumerable<(string FileName, string Yaml)> Files(XmlDocs docs) =>
        Kinds.Select(kind => ($"{Entity(kind).PluralName}.yaml", YamlText.Write(Generate(kind, docs))));

    /// <summary>The definition of one kind.</summary>
    public static JsonObject Generate(Type kind, XmlDocs docs)
    {
        ArgumentNullException.ThrowIfNull(docs);
        var entity = Entity(kind);
        var scope = kind.GetCustomAttribute<EntityScopeAttribute>()?.Scope ?? EntityScope.Namespaced;
        return new JsonObject
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = new JsonObject { ["name"] = $"{entity.PluralName}.{entity.Group}" },
            ["spec"] = new JsonObject
            {
                ["group"] = entity.Group,
                ["scope"] = scope.ToString(),
                ["names"] = KindNames(kind, entity),
                ["versions"] = new JsonArray(Version(kind, entity, docs)),
            },
        };
    }

    private static KubernetesEntityAttribute Entity(Type kind) =>
        kind.GetCustomAttribute<KubernetesEntityAttribute>() ?? throw new ArgumentException($"{kind} has no KubernetesEntity attribute", nameof(kind));

    private static JsonObject KindNames(Type kind, KubernetesEntityAttribute entity)
    {
        var singular = entity.Kind.ToLowerInvariant();
        var names = new JsonObject
        {
            ["plural"] = entity.PluralName,
            ["singular"] = singular,
            ["kind"] = entity.Kind,
            ["listKind"] = entity.Kind + "List",
            ["categories"] = new JsonArray(Category),
        };
        // kubectl takes the singular anyway; as a short name too it would be refused as a conflict.
        var shorts = kind.GetCustomAttributes<ShortNameAttribute>().Select(name => name.Name).Where(name => name != singular).ToArray();
        if (shorts.Length > 0)
        {
            names["shortNames"] = new JsonArray([.. shorts.Select(name => (JsonNode)name)]);
        }

        return names;
    }

    private static JsonObject Version(Type kind, KubernetesEntityAttribute entity, XmlDocs docs)
    {
        var subresources = new JsonObject { ["status"] = new JsonObject() };
        if (kind.GetCustomAttribute<ScaleSubresourceAttribute>() is { } scale)
        {
            subresources["scale"] = Scale(scale);
        }

        return new JsonObject
        {
            ["name"] = entity.ApiVersion,
            ["served"] = true,
            ["storage"] = true,
            ["subresources"] = subresources,
            ["additionalPrinterColumns"] = new JsonArray([.. kind.GetCustomAttributes<AdditionalPrinterColumnAttribute>().Select(Column)]),
            ["schema"] = new JsonObject { ["openAPIV3Schema"] = Root(kind, docs) },
        };
    }

    private static JsonObject Scale(ScaleSubresourceAttribute scale)
    {
        var written = new JsonObject { ["specReplicasPath"] = scale.SpecReplicasPath, ["statusReplicasPath"] = scale.StatusReplicasPath };
        if (scale.LabelSelectorPath is { } selector)
        {
            written["labelSelectorPath"] = selector;
        }

        return written;
    }

    private static JsonObject Column(AdditionalPrinterColumnAttribute column)
    {
        var written = new JsonObject { ["name"] = column.Name, ["type"] = column.Type, ["jsonPath"] = column.JsonPath };
        if (column.Description is { } description)
        {
            written["description"] = description;
        }

        if (column.Priority != 0)
        {
            written["priority"] = column.Priority;
        }

        return written;
    }

    private static JsonObject Root(Type kind, XmlDocs docs)
    {
        var built = new SchemaBuilder(docs).Build(kind);
        if (docs.Of(kind) is { } description)
        {
            built.Insert(0, "description", description);
        }

        return built;
    }
}
