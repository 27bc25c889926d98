using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Answers as <c>meta.k8s.io/v1</c> tables and partial metadata.</summary>
internal static class TableWriter
{
    public static JsonObject Table(ResourceDefinition resource, JsonObject metadata, IEnumerable<StoredObject> items, string include, DateTimeOffset now, bool withColumns = true)
    {
        var columns = ColumnsOf(resource);
        return new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = metadata,
            ["columnDefinitions"] = withColumns ? new JsonArray([.. columns.Select(Describe)]) : null,
            ["rows"] = new JsonArray([.. items.Select(item => Row(columns, item.Parse(), include, now))]),
        };
    }

    public static JsonObject Partial(JsonObject content)
    {
        return new JsonObject
        {
            ["kind"] = "PartialObjectMetadata",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = content.Object("metadata")?.DeepClone(),
        };
    }

    private static IReadOnlyList<TableColumn> ColumnsOf(ResourceDefinition resource) => resource.Columns.Count > 0 ? resource.Columns : CoreColumns.Default;

    private static JsonNode Row(IReadOnlyList<TableColumn> columns, JsonObject content, string include, DateTimeOffset now)
    {
        var row = new JsonObject { ["cells"] = new JsonArray([.. columns.Select(c => c.Read(content, now))]) };
        if (content.Text("kind") == "Pod" && content.Object("status").Text("phase") is ("Succeeded" or "Failed") and var phase)
        {
            row["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "Completed",
                ["status"] = "True",
                ["reason"] = phase,
                ["message"] = phase == "Failed" ? "The pod failed." : "The pod has completed successfully.",
            });
        }

        if (include == "Object") row["object"] = content.DeepClone();
        else if (include != "None") row["object"] = Partial(content);
        else row["object"] = null;
        return row;
    }

    private static JsonNode Describe(TableColumn column) => new JsonObject
    {
        ["name"] = column.Name,
        ["type"] = column.Type,
        ["format"] = column.Format,
        ["description"] = column.Description,
        ["priority"] = column.Priority,
    };
}
