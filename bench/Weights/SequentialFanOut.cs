using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Trestle.Bench.Weights;

/// <summary>What a script does that knows all engines: step by step, and in each step one engine after another.</summary>
internal sealed class SequentialFanOut(IReadOnlyList<Uri> engines, string mode) : IDisposable
{
    private readonly HttpClient _http = new();

    /// <summary>A group that no trainer is in.</summary>
    public static JsonObject Init(int worldSize) => new()
    {
        ["init_info"] = new JsonObject { ["master_address"] = "127.0.0.1", ["master_port"] = 1, ["rank_offset"] = 1, ["world_size"] = worldSize },
    };

    public static async Task InitAsync(HttpClient http, Uri engine)
    {
        using var answer = await http.PostAsJsonAsync(new Uri(engine, "/init_weight_transfer_engine"), Init(2));
        answer.EnsureSuccessStatusCode();
    }

    public async Task UpdateAsync(string version)
    {
        await OnEachAsync($"/pause?mode={mode}", null);
        await OnEachAsync("/start_weight_update", null);
        await OnEachAsync("/update_weights", new JsonObject { ["update_info"] = new JsonObject { ["names"] = new JsonArray("w") } });
        await OnEachAsync("/finish_weight_update", new JsonObject { ["weight_version"] = version });
        await OnEachAsync("/reset_prefix_cache", null);
        await OnEachAsync("/resume", null);
    }

    public void Dispose() => _http.Dispose();

    private async Task OnEachAsync(string route, JsonObject? body)
    {
        foreach (var engine in engines)
        {
            using var answer = await _http.PostAsync(new Uri(engine, route), body is null ? null : JsonContent.Create(body));
            answer.EnsureSuccessStatusCode();
        }
    }
}
