using System.Collections.Concurrent;

namespace Trestle.Local.ApiMachinery;

/// <summary>Merge types of the kinds every Kubernetes has, from the table <c>BuiltIn/core.schema</c>.</summary>
public static class BuiltInSchemas
{
    private static readonly BuiltInTable Table = BuiltInTable.Load();
    private static readonly ConcurrentDictionary<(string Group, string Kind), TypeSchema> Generic = new();

    // Kinds of the same name in other groups, whose fields the table does not describe.
    private static readonly HashSet<string> KnownGroups = new(StringComparer.Ordinal)
    {
        "", "apps", "batch", "coordination.k8s.io", "policy", "discovery.k8s.io", "scheduling.k8s.io", "apiextensions.k8s.io",
    };

    /// <summary><c>metadata</c>, the same for every kind.</summary>
    public static TypeSchema ObjectMeta { get; } = Table.Get("ObjectMeta")!;

    /// <summary>The type of a kind; one the table does not describe has typed metadata and everything else deduced.</summary>
    public static TypeSchema For(string group, string version, string kind)
    {
        var known = KnownGroups.Contains(group) && (group != "" || version == "v1") ? Table.Get(kind) : null;
        return known is not null && known.Fields.ContainsKey("metadata")
            ? known
            : Generic.GetOrAdd((group, kind), _ => new TypeSchema
            {
                Kind = NodeKind.Map,
                Fields = new Dictionary<string, TypeSchema>(StringComparer.Ordinal)
                {
                    ["apiVersion"] = TypeSchema.Scalar,
                    ["kind"] = TypeSchema.Scalar,
                    ["metadata"] = ObjectMeta,
                },
                Element = TypeSchema.Deduced,
            });
    }

    /// <summary>True when the table describes the kind's fields, so that unknown ones can be refused.</summary>
    public static bool Describes(string group, string version, string kind) => For(group, version, kind).Element is null;
}
