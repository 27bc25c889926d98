using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Deployments and StatefulSets as plain objects: enough defaults that clients can read them.</summary>
internal static class WorkloadRules
{
    public static readonly KindRules Deployment = new() { Default = (content, _, _) => Default(content, "strategy"), Validate = Validate };
    public static readonly KindRules StatefulSet = new() { Default = (content, _, _) => Default(content, "updateStrategy"), Validate = Validate };

    private static void Default(JsonObject content, string strategy)
    {
        var spec = content.Ensure("spec");
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        spec.Ensure(strategy).Default("type", "RollingUpdate");
        content.Ensure("status");
        if (spec.Object("template").Object("spec") is { } pod) PodDefaults.Apply(pod);
    }

    private static IEnumerable<FieldError> Validate(JsonObject content)
    {
        var spec = content.Object("spec");
        if (spec.Object("selector") is null) yield return FieldError.Required("spec.selector");
        if (spec.Object("template") is null) yield return FieldError.Required("spec.template");
    }
}
