namespace Trestle.Local.ApiServer;

/// <summary>Columns of <c>kubectl get</c> for workloads.</summary>
internal static class WorkloadColumns
{
    public static readonly IReadOnlyList<TableColumn> Deployment =
    [
        Columns.Name,
        Columns.Text("Ready", o => $"{o.Object("status").Integer("readyReplicas") ?? 0}/{o.Object("spec").Integer("replicas") ?? 0}"),
        Columns.Number("Up-to-date", o => o.Object("status").Integer("updatedReplicas") ?? 0),
        Columns.Number("Available", o => o.Object("status").Integer("availableReplicas") ?? 0),
        Columns.Age,
        Columns.Text("Containers", o => Columns.ContainerNames(o, "name"), 1),
        Columns.Text("Images", o => Columns.ContainerNames(o, "image"), 1),
        Columns.Text("Selector", o => Columns.Selector(o.Object("spec").Object("selector").Object("matchLabels")), 1),
    ];

    public static readonly IReadOnlyList<TableColumn> StatefulSet =
    [
        Columns.Name,
        Columns.Text("Ready", o => $"{o.Object("status").Integer("readyReplicas") ?? 0}/{o.Object("spec").Integer("replicas") ?? 0}"),
        Columns.Age,
        Columns.Text("Containers", o => Columns.ContainerNames(o, "name"), 1),
        Columns.Text("Images", o => Columns.ContainerNames(o, "image"), 1),
    ];

    public static readonly IReadOnlyList<TableColumn> Job =
    [
        Columns.Name,
        Columns.Text("Status", o => Columns.Condition(o, "Failed").Text("status") == "True" ? "Failed" : Columns.Condition(o, "Complete").Text("status") == "True" ? "Complete" : "Running"),
        Columns.Text("Completions", o => $"{o.Object("status").Integer("succeeded") ?? 0}/{o.Object("spec").Integer("completions") ?? 1}"),
        Columns.Age,
    ];
}
