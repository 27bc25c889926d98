using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Scheduling.Modes.Gangs;
using Trestle.Operator.Scheduling.Modes.Kueue;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Scheduling.Modes;

/// <summary>A file of Golden/ holds a mode, the version it finds, a job, and what is made of it: adding a case is adding a file.</summary>
public sealed class GoldenObjectTests
{
    private static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "Scheduling", "Modes", "Golden");

    public static TheoryData<string> Files() => [.. System.IO.Directory.GetFiles(Directory, "*.yaml").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_job_becomes_these_objects(string file)
    {
        var golden = (JsonObject)YamlDocuments.Read(File.ReadAllText(Path.Combine(Directory, file)))[0].ToJson()!;
        var job = golden["job"].Deserialize(TrestleJson.Default.TrainingJob)!;
        job.Status = new TrainingJobStatus { Attempt = 2, Admission = new AdmissionStatus { Attempt = 2, Size = job.NodeCount }, SchedulingMode = Enum.Parse<SchedulingMode>((string)golden["mode"]!) };
        var pod = LaunchObjects.Pod(job, new PodSettings(null, null, "http://operator", null), new Dictionary<string, Storage>(), 0, 2);
        var mode = Mode(golden, job, pod);
        var made = mode.Group(job, 2, pod) ?? (mode.Mode == SchedulingMode.Kueue ? new CreateObject<KueueWorkload>(WorkloadBuilder.Build(job, pod)) : null);
        var extras = mode.Extras(job, 2).ShouldNotBeNull();
        Same(Item(made), golden["makes"]);
        Same(Marks(extras.Put(pod)), golden["pod"]);
    }

    private static IAdmissionMode Mode(JsonObject golden, TrainingJob job, V1Pod pod) => job.Status!.SchedulingMode switch
    {
        SchedulingMode.Native => new NativeMode(new FixedKind<PodGroupV1Beta1>((string?)golden["version"] == "v1beta1"), new FixedKind<PodGroupV1Alpha2>(true)),
        SchedulingMode.Volcano => new VolcanoMode(new FixedKind<VolcanoPodGroup>(true), "volcano"),
        SchedulingMode.Coscheduling => new CoschedulingMode(new FixedKind<CoschedulingPodGroup>(true), "scheduler-plugins-scheduler"),
        SchedulingMode.Kueue => new KueueMode(new FixedKind<KueueWorkloadView>(true, Workload(golden, job)), new FixedKind<KueueLocalQueueView>(true), new FixedKind<KueueFlavorView>(true, Samples.Read<KueueFlavorView>("kueue", "01-queues.yaml")), _ => pod),
        _ => new OperatorMode(),
    };

    // The recorded admission, with what the case has on top of it.
    private static KueueWorkloadView Workload(JsonObject golden, TrainingJob job)
    {
        var json = Samples.Json("kueue", "03-low-admitted.yaml");
        if (golden["topologyAssignment"] is { } topology) json["status"]!["admission"]!["podSetAssignments"]![0]!["topologyAssignment"] = topology.DeepClone();
        if (golden["admissionChecks"] is { } checks) json["status"]!["admissionChecks"] = checks.DeepClone();
        var workload = json.Deserialize(OperatorJson.Default.KueueWorkloadView)!;
        workload.Metadata = WorkloadBuilder.Build(job, new V1Pod { Spec = new V1PodSpec { Containers = [] } }).Metadata;
        return workload;
    }

    private static JsonNode? Item(ObjectChange? made) => made switch
    {
        CreateObject<PodGroupV1Alpha2> { Item: var item } => JsonSerializer.SerializeToNode(item, OperatorJson.Default.PodGroupV1Alpha2),
        CreateObject<PodGroupV1Beta1> { Item: var item } => JsonSerializer.SerializeToNode(item, OperatorJson.Default.PodGroupV1Beta1),
        CreateObject<VolcanoPodGroup> { Item: var item } => JsonSerializer.SerializeToNode(item, OperatorJson.Default.VolcanoPodGroup),
        CreateObject<CoschedulingPodGroup> { Item: var item } => JsonSerializer.SerializeToNode(item, OperatorJson.Default.CoschedulingPodGroup),
        CreateObject<KueueWorkload> { Item: var item } => JsonSerializer.SerializeToNode(item, OperatorJson.Default.KueueWorkload),
        _ => null,
    };

    // What a mode has a say in.
    private static JsonObject Marks(V1Pod pod)
    {
        var whole = JsonNode.Parse(KubernetesJson.Serialize(pod))!;
        var marks = new JsonObject();
        foreach (var (part, field) in ((string, string)[])[("metadata", "annotations"), ("spec", "schedulerName"), ("spec", "schedulingGroup"), ("spec", "schedulingGates"), ("spec", "nodeSelector"), ("spec", "tolerations")])
        {
            if (whole[part]?[field] is { } value) marks[field] = value.DeepClone();
        }

        var labels = whole["metadata"]!["labels"]!.AsObject().Where(label => !label.Key.StartsWith("trestle.dev/", StringComparison.Ordinal) && label.Key != Labels.ManagedBy).ToList();
        if (labels.Count > 0) marks["labels"] = new JsonObject(labels.Select(label => KeyValuePair.Create(label.Key, label.Value?.DeepClone())));
        return marks;
    }

    private static void Same(JsonNode? made, JsonNode? expected) =>
        JsonNode.DeepEquals(made, expected).ShouldBeTrue($"made:\n{made?.ToJsonString()}\nexpected:\n{expected?.ToJsonString()}");
}
