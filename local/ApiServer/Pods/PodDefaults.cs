using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>The values a real server writes into a pod's spec and first status.</summary>
internal static class PodDefaults
{
    public static void Apply(JsonObject spec)
    {
        foreach (var container in Containers(spec)) ApplyContainer(container);
        spec.Default("restartPolicy", "Always");
        spec.Default("terminationGracePeriodSeconds", 30);
        spec.Default("dnsPolicy", "ClusterFirst");
        spec.Default("securityContext", new JsonObject());
        spec.Default("schedulerName", "default-scheduler");
        spec.Default("enableServiceLinks", true);
        foreach (var volume in spec.Array("volumes")?.OfType<JsonObject>() ?? []) ApplyVolume(volume);
    }

    /// <summary>What admission adds to a pod, but not to a template.</summary>
    public static void Admit(JsonObject spec)
    {
        spec.Default("priority", 0);
        spec.Default("preemptionPolicy", "PreemptLowerPriority");
        if (spec.Array("tolerations") is not { } tolerations) spec["tolerations"] = tolerations = [];
        foreach (var key in (string[])["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"])
        {
            var isTolerated = tolerations.OfType<JsonObject>().Any(t => (t.Text("key") ?? "") is { } k && (k == key || k.Length == 0) && t.Text("effect") is null or "" or "NoExecute");
            if (!isTolerated) tolerations.Add(new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = "NoExecute", ["tolerationSeconds"] = 300 });
        }
    }

    public static void ApplyStatus(JsonObject content, DateTimeOffset now)
    {
        var status = content.Ensure("status");
        var spec = content.Object("spec")!;
        status.Default("phase", "Pending");
        if (spec.Array("schedulingGates") is { Count: > 0 })
        {
            status.Default("conditions", new JsonArray(new JsonObject
            {
                ["type"] = "PodScheduled",
                ["status"] = "False",
                ["lastProbeTime"] = null,
                ["lastTransitionTime"] = Timestamp.Of(now),
                ["reason"] = "SchedulingGated",
                ["message"] = "Scheduling is blocked due to non-empty scheduling gates",
            }));
        }

        status.Default("qosClass", QualityOfService(spec));
    }

    public static IEnumerable<JsonObject> Containers(JsonObject? spec) =>
        (spec.Array("initContainers") ?? []).Concat(spec.Array("containers") ?? []).OfType<JsonObject>();

    private static void ApplyContainer(JsonObject container)
    {
        container.Default("terminationMessagePath", "/dev/termination-log");
        container.Default("terminationMessagePolicy", "File");
        if (container.Text("image") is { Length: > 0 } image) container.Default("imagePullPolicy", IsLatest(image) ? "Always" : "IfNotPresent");
        var resources = container.Ensure("resources");
        // A limit without a request is the request.
        foreach (var (name, limit) in resources.Object("limits") ?? []) resources.Ensure("requests").Default(name, limit?.DeepClone());
        foreach (var port in container.Array("ports")?.OfType<JsonObject>() ?? []) port.Default("protocol", "TCP");
        foreach (var probe in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (container.Object(probe) is { } found) ApplyProbe(found);
        }

        foreach (var variable in container.Array("env")?.OfType<JsonObject>() ?? [])
            variable.Object("valueFrom").Object("fieldRef")?.Default("apiVersion", "v1");
    }

    private static void ApplyProbe(JsonObject probe)
    {
        probe.Default("timeoutSeconds", 1);
        probe.Default("periodSeconds", 10);
        probe.Default("successThreshold", 1);
        probe.Default("failureThreshold", 3);
        if (probe.Object("httpGet") is not { } get) return;
        get.Default("path", "/");
        get.Default("scheme", "HTTP");
    }

    private static void ApplyVolume(JsonObject volume)
    {
        foreach (var kind in (string[])["configMap", "secret", "projected", "downwardAPI"]) volume.Object(kind)?.Default("defaultMode", 420);
        volume.Object("hostPath")?.Default("type", "");
        foreach (var source in volume.Object("projected").Array("sources")?.OfType<JsonObject>() ?? [])
            source.Object("serviceAccountToken")?.Default("expirationSeconds", 3600);
        if (!volume.Any(p => p.Key != "name")) volume["emptyDir"] = new JsonObject();
    }

    private static bool IsLatest(string image)
    {
        var name = image[(image.LastIndexOf('/') + 1)..];
        return !name.Contains('@') && (!name.Contains(':') || name.EndsWith(":latest", StringComparison.Ordinal));
    }

    private static string QualityOfService(JsonObject spec)
    {
        var containers = Containers(spec).ToArray();
        static bool Has(JsonObject c, string kind) => c.Object("resources").Object(kind) is { } r && (r.ContainsKey("cpu") || r.ContainsKey("memory"));
        if (!containers.Any(c => Has(c, "limits") || Has(c, "requests"))) return "BestEffort";
        var isGuaranteed = containers.All(c => c.Object("resources").Object("limits") is { } limits
            && new[] { "cpu", "memory" }.All(r => limits.Text(r) is { } limit && limit == c.Object("resources").Object("requests").Text(r)));
        return isGuaranteed ? "Guaranteed" : "Burstable";
    }
}
