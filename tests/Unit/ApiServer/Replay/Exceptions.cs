using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiServer.Tests;

/// <summary>Where our answers differ from the recorded ones on purpose; each line says why.</summary>
internal static class Exceptions
{
    /// <summary>Cuts both answers down to what must be the same.</summary>
    public static JsonObject Apply(string name, JsonObject answer)
    {
        switch (name)
        {
            case "001-version": // build of the recorded binary
                return Keep(answer, "major", "minor", "emulationMajor", "emulationMinor");
            case "003-apis": // we serve fewer groups
                return KeepItems(answer, "groups", "name", "apps", "batch", "policy", "apiextensions.k8s.io", "coordination.k8s.io", "trestle.dev");
            case "011-core-resources": // no component statuses
                Items(answer, "resources").RemoveAll(r => (string?)r!["name"] == "componentstatuses");
                return answer;
            case "012-aggregated-api": // the same
                (answer["items"]![0]!["versions"]![0]!["resources"] as JsonArray)!.RemoveAll(r => (string?)r!["resource"] == "componentstatuses");
                return answer;
            case "013-openapi-v3-index": // documents of groups we serve; the hashes are of their text
                var paths = (JsonObject)answer["paths"]!;
                return new JsonObject(new[] { "api/v1", "apis/apps/v1", "apis/trestle.dev/v1alpha1" }.Select(p => KeyValuePair.Create(p, (JsonNode?)((string)paths[p]!["serverRelativeURL"]!).Split('?')[0])));
            case "139-node-get" or "140-node-table": // one writer stands in for the kubelet and the controllers
                RemoveManagedFields(answer);
                return answer;
            default:
                return answer;
        }
    }

    public static string Text(string name, string text) => name switch
    {
        "105-pod-set-selector-after-ungate" or "107-pod-change-command" => text.Split('\n')[0], // a diff of Go structs follows
        "089-watch-too-old" => Regex.Replace(text, @"\(\d+\)", "(<rv>)"),
        "143-healthz" => string.Join(' ', text.Split('\n', StringSplitOptions.RemoveEmptyEntries) is var lines ? [lines[0], lines[^1]] : lines), // the checks of the recorded binary
        _ => text,
    };

    /// <summary>117: a real server announces the last deletion with one more MODIFIED; we delete at once.</summary>
    public static bool IsLastWord(JsonObject line) => (string?)line["type"] == "MODIFIED" && (long?)line["object"]!["metadata"]!["deletionGracePeriodSeconds"] == 0;

    private static JsonObject Keep(JsonObject answer, params string[] fields) =>
        new(fields.Select(f => KeyValuePair.Create(f, answer[f]?.DeepClone())));

    private static JsonObject KeepItems(JsonObject answer, string list, string key, params string[] values)
    {
        Items(answer, list).RemoveAll(i => !values.Contains((string?)i![key]));
        var order = Items(answer, list).OrderBy(i => (string?)i![key], StringComparer.Ordinal).Select(i => i!.DeepClone()).ToArray();
        answer[list] = new JsonArray(order);
        return answer;
    }

    private static JsonArray Items(JsonObject answer, string list) => (JsonArray)answer[list]!;

    private static void RemoveManagedFields(JsonNode? node)
    {
        if (node is JsonObject map)
        {
            map.Remove("managedFields");
            foreach (var (_, value) in map) RemoveManagedFields(value);
        }
        else if (node is JsonArray list)
        {
            foreach (var item in list) RemoveManagedFields(item);
        }
    }
}
