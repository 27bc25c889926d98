using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Testing.Engine;

/// <summary>The routes in tests/Samples/vllm/routes.json, and what a server makes of them.</summary>
public static class RouteContract
{
    public static IReadOnlyList<JsonObject> Calls { get; } =
        [.. JsonNode.Parse(RepositoryFiles.Read("tests", "Samples", "vllm", "routes.json"))!["calls"]!.AsArray().Select(call => call!.AsObject())];

    /// <summary>Makes all calls in order; gives a line for each that was answered otherwise.</summary>
    /// <param name="server">The engine.</param>
    /// <param name="transfer">Does a call that needs a trainer; null: such calls are made as they stand.</param>
    /// <param name="withOptional">Also calls that not every stand-in knows.</param>
    public static async Task<IReadOnlyList<string>> DifferencesAsync(Uri server, Func<string, Task>? transfer, bool withOptional)
    {
        using var http = new HttpClient { BaseAddress = server };
        var found = new List<string>();
        foreach (var call in Calls)
        {
            var name = $"{call["method"]} {call["target"]} {call["body"]?.ToJsonString()}";
            if ((bool?)call["optional"] == true && !withOptional) continue;
            if ((bool?)call["transfers"] == true && transfer is not null)
            {
                await transfer((string)call["target"]!);
                continue;
            }

            using var request = new HttpRequestMessage(new HttpMethod((string)call["method"]!), new Uri((string)call["target"]!, UriKind.Relative)) { Content = call["body"] is { } body ? new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") : null };
            using var answer = await http.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            if ((int)answer.StatusCode != (int)call["status"]!) found.Add($"{name}: {((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture)} instead of {call["status"]}");
            foreach (var field in call["answer"]?.AsArray() ?? []) if (JsonNode.Parse(text)?[(string)field!] is null) found.Add($"{name}: no {field} in {text}");
            foreach (var (field, value) in call["holds"]?.AsObject() ?? []) if (!JsonNode.DeepEquals(JsonNode.Parse(text)?[field], value)) found.Add($"{name}: {text} instead of {field} {value}");
        }

        return found;
    }
}
