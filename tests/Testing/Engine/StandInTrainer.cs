using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Testing.Engine;

/// <summary>A trainer as vLLM's HTTP weight-sync client makes one: it knows one base URL and always sends rank_offset 1.</summary>
public sealed class StandInTrainer : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<RankConnection> _ranks = [];

    public StandInTrainer(Uri server)
    {
        _http = new HttpClient { BaseAddress = server, Timeout = TimeSpan.FromMinutes(3) };
        _listener.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Ranks that joined, in no order.</summary>
    public List<int> Ranks { get; } = [];

    /// <summary>Asks for the world size and makes the group.</summary>
    public async Task InitAsync(int? worldSize = null, CancellationToken ct = default)
    {
        var world = worldSize ?? (1 + await WorldSizeAsync(ct));
        foreach (var old in _ranks) old.Dispose();
        _ranks.Clear();
        Ranks.Clear();
        var init = PostAsync("init_weight_transfer_engine", new JsonObject
        {
            ["init_info"] = new JsonObject { ["master_address"] = "127.0.0.1", ["master_port"] = Port, ["rank_offset"] = 1, ["world_size"] = world },
        }, ct);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var accepting = AcceptAsync(world - 1, stop.Token);
        if (await Task.WhenAny(init, accepting) == init)
        {
            if (!init.IsCompletedSuccessfully) await stop.CancelAsync();
            await init;
        }

        await accepting;
        await init;
    }

    public async Task<int> WorldSizeAsync(CancellationToken ct = default) =>
        (int)(await _http.GetFromJsonAsync<JsonObject>(new Uri("get_world_size", UriKind.Relative), ct))!["world_size"]!;

    /// <summary>A whole update: start, the weights, finish; with pause and resume around it when a mode is given.</summary>
    public async Task PushAsync(string version, JsonNode? weights = null, string? pause = null, CancellationToken ct = default)
    {
        if (pause is not null) await PostAsync($"pause?mode={pause}", null, ct);
        await PostAsync("start_weight_update", null, ct);
        await SendAsync(weights ?? JsonValue.Create(version), ct);
        await PostAsync("finish_weight_update", new JsonObject { ["weight_version"] = version }, ct);
        if (pause is not null) await PostAsync("resume", null, ct);
    }

    /// <summary>One chunk: the request and, at the same time, the broadcast.</summary>
    public async Task SendAsync(JsonNode? weights, CancellationToken ct = default)
    {
        var update = PostAsync("update_weights", new JsonObject
        {
            ["update_info"] = new JsonObject { ["names"] = new JsonArray("w"), ["dtype_names"] = new JsonArray("float32"), ["shapes"] = new JsonArray(new JsonArray(1)) },
        }, ct);
        var broadcast = Task.WhenAll(_ranks.Select(async rank =>
        {
            try
            {
                await rank.SayAsync(new JsonObject { ["weights"] = weights?.DeepClone() }, ct);
                await rank.HearAsync(ct);
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException)
            {
                // A rank that died; the answer of the server says what that means.
            }
        }));
        await update;

        // Whoever has not taken it by now has failed.
        await broadcast.WaitAsync(TimeSpan.FromMilliseconds(500), ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async Task<JsonObject> PostAsync(string path, JsonObject? body = null, CancellationToken ct = default)
    {
        using var content = new StringContent((body ?? []).ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), content, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        if (!answer.IsSuccessStatusCode) throw new HttpRequestException($"{path}: {(int)answer.StatusCode} {text}", null, answer.StatusCode);
        return text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject();
    }

    public async Task<JsonObject> GetAsync(string path, CancellationToken ct = default) =>
        (await _http.GetFromJsonAsync<JsonObject>(new Uri(path, UriKind.Relative), ct))!;

    /// <summary>Dies: the group breaks.</summary>
    public ValueTask DisposeAsync()
    {
        foreach (var rank in _ranks) rank.Dispose();
        _listener.Dispose();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(int count, CancellationToken ct)
    {
        while (_ranks.Count < count)
        {
            var rank = RankConnection.Accepted(await _listener.AcceptTcpClientAsync(ct));
            Ranks.Add((int)(await rank.HearAsync(ct))["rank"]!);
            _ranks.Add(rank);
        }

        foreach (var rank in _ranks) await rank.SayAsync(new JsonObject { ["ok"] = true }, ct);
    }
}
