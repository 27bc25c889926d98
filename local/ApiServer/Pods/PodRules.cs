using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Pods: what may be created and what may change afterwards.</summary>
internal static class PodRules
{
    private const string Frozen =
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    public static readonly KindRules All = new()
    {
        ReturnsDeleted = true,
        Default = Default,
        Complete = Complete,
        Validate = Validate,
        ValidateUpdate = ValidateUpdate,
        GracePeriod = GracePeriod,
    };

    private static void Default(JsonObject content, JsonObject? old, DateTimeOffset now)
    {
        var spec = content.Ensure("spec");
        PodDefaults.Apply(spec);
        // A time that is not set is a null, not a missing field.
        foreach (var condition in content.Object("status").Array("conditions")?.OfType<JsonObject>() ?? [])
        {
            if (!condition.ContainsKey("lastProbeTime")) condition["lastProbeTime"] = null;
            if (!condition.ContainsKey("lastTransitionTime")) condition["lastTransitionTime"] = null;
        }
    }

    private static void Complete(JsonObject content, JsonObject? old, DateTimeOffset now)
    {
        if (old is not null) return;
        PodDefaults.Admit(content.Ensure("spec"));
        PodDefaults.ApplyStatus(content, now);
    }

    // Nobody runs a pod that has no node or has ended, so nobody needs to be waited for.
    private static long? GracePeriod(JsonObject content)
    {
        var spec = content.Object("spec");
        var isIdle = string.IsNullOrEmpty(spec.Text("nodeName")) || content.Object("status").Text("phase") is "Succeeded" or "Failed";
        return isIdle ? 0 : spec.Integer("terminationGracePeriodSeconds") ?? 30;
    }

    private static IEnumerable<FieldError> Validate(JsonObject content)
    {
        var spec = content.Object("spec");
        if (spec.Array("containers") is not { Count: > 0 }) yield return FieldError.Required("spec.containers");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var list in (string[])["containers", "initContainers"])
        {
            var containers = spec.Array(list) ?? [];
            for (var i = 0; i < containers.Count; i++)
            {
                foreach (var error in ValidateContainer(containers[i] as JsonObject, $"spec.{list}[{i}]", names, spec)) yield return error;
            }
        }

        if (spec.Text("restartPolicy") is not ("Always" or "OnFailure" or "Never") and var policy)
            yield return FieldError.NotSupported("spec.restartPolicy", policy, ["Always", "Never", "OnFailure"]);
        foreach (var error in MetadataRules.ValidateLabels(spec?["nodeSelector"], "spec.nodeSelector")) yield return error;
        foreach (var error in ValidateVolumes(spec.Array("volumes") ?? [])) yield return error;
        var isNew = content.Object("metadata")?["resourceVersion"] is null;
        if (isNew && spec.Array("schedulingGates") is { Count: > 0 } && !string.IsNullOrEmpty(spec.Text("nodeName")))
            yield return FieldError.Forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
    }

    private static IEnumerable<FieldError> ValidateContainer(JsonObject? container, string path, HashSet<string> names, JsonObject? spec)
    {
        var name = container.Text("name") ?? "";
        if (name.Length == 0) yield return FieldError.Required(path + ".name");
        else if (!names.Add(name)) yield return FieldError.Duplicate(path + ".name", name);
        if (string.IsNullOrEmpty(container.Text("image"))) yield return FieldError.Required(path + ".image");
        var volumes = (spec.Array("volumes") ?? []).OfType<JsonObject>().Select(v => v.Text("name")).ToHashSet();
        var mounts = container.Array("volumeMounts") ?? [];
        for (var i = 0; i < mounts.Count; i++)
        {
            var mount = mounts[i] as JsonObject;
            if (string.IsNullOrEmpty(mount.Text("mountPath"))) yield return FieldError.Required($"{path}.volumeMounts[{i}].mountPath");
            if (!volumes.Contains(mount.Text("name"))) yield return new FieldError(FieldErrorType.NotFound, $"{path}.volumeMounts[{i}].name", mount.Text("name") ?? "", "");
        }

        var resources = container.Object("resources");
        foreach (var kind in (string[])["limits", "requests"])
        {
            foreach (var (resource, amount) in resources.Object(kind) ?? [])
            {
                if (!Quantity.IsValid(amount)) yield return FieldError.Invalid($"{path}.resources.{kind}[{resource}]", amount, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
            }
        }
    }

    private static IEnumerable<FieldError> ValidateVolumes(JsonArray volumes)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < volumes.Count; i++)
        {
            var name = (volumes[i] as JsonObject).Text("name") ?? "";
            if (name.Length == 0) yield return FieldError.Required($"spec.volumes[{i}].name");
            else if (!names.Add(name)) yield return FieldError.Duplicate($"spec.volumes[{i}].name", name);
        }
    }

    private static IEnumerable<FieldError> ValidateUpdate(JsonObject old, JsonObject next)
    {
        var before = old.Object("spec")!;
        var after = next.Object("spec")!;
        var gates = GateNames(before);
        var added = GateNames(after).Select((name, i) => (name, i)).Where(g => !gates.Contains(g.name)).ToArray();
        foreach (var (name, i) in added) yield return FieldError.Forbidden($"spec.schedulingGates[{i}].name", $"only deletion is allowed, but found new scheduling gate '{name}'");
        if (added.Length > 0) yield break;

        var allowed = (JsonObject)after.DeepClone();
        CopyMutable(before, allowed, isGated: gates.Count > 0);
        if (gates.Count > 0)
        {
            foreach (var error in ValidateGatedSelector(before.Object("nodeSelector"), after.Object("nodeSelector"))) yield return error;
        }

        if (!JsonNode.DeepEquals(before, allowed)) yield return FieldError.Forbidden("spec", Frozen + "\n" + PodDiff.Show(before, allowed));
    }

    // Overwrites in the new spec what may change, so that only what may not is left to compare.
    private static void CopyMutable(JsonObject before, JsonObject allowed, bool isGated)
    {
        foreach (var list in (string[])["containers", "initContainers"])
        {
            var was = before.Array(list) ?? [];
            var now = allowed.Array(list) ?? [];
            for (var i = 0; i < Math.Min(was.Count, now.Count); i++)
            {
                if (was[i] is JsonObject a && now[i] is JsonObject b && a["image"] is { } image) b["image"] = image.DeepClone();
            }
        }

        string[] fields = isGated ? ["activeDeadlineSeconds", "schedulingGates", "nodeSelector", "affinity"] : ["activeDeadlineSeconds", "schedulingGates"];
        foreach (var field in fields)
        {
            if (before[field] is { } value) allowed[field] = value.DeepClone();
            else allowed.Remove(field);
        }

        var tolerations = before.Array("tolerations") ?? [];
        var kept = tolerations.All(t => (allowed.Array("tolerations") ?? []).Any(n => JsonNode.DeepEquals(t, n)));
        if (kept && before["tolerations"] is { } had) allowed["tolerations"] = had.DeepClone();
    }

    private static IEnumerable<FieldError> ValidateGatedSelector(JsonObject? before, JsonObject? after)
    {
        foreach (var (key, value) in before ?? [])
        {
            if (after.Text(key) != value.AsText())
            {
                yield return FieldError.Invalid("spec.nodeSelector", after ?? [], "only additions are allowed (no mutations or deletions)");
                yield break;
            }
        }
    }

    private static List<string> GateNames(JsonObject spec) => [.. (spec.Array("schedulingGates") ?? []).OfType<JsonObject>().Select(g => g.Text("name") ?? "")];
}
