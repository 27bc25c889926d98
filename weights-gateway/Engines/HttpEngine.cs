using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;

namespace Trestle.WeightsGateway.Engines;

/// <summary>An engine over HTTP.</summary>
/// <param name="http">Carries the token.</param>
/// <param name="control">Address of its control routes.</param>
/// <param name="clients">Address for clients.</param>
/// <param name="hasWeights">False: its weights never change, and control routes need not be there.</param>
public sealed class HttpEngine(HttpClient http, Uri control, Uri clients, Func<bool> hasWeights) : IEngine
{
    private const int LongestText = 300;
    private const string Models = "/v1/models";
    private bool _hasModels;
    private int _worldSize;

    /// <inheritdoc/>
    public async Task<EngineView> LookAsync(CancellationToken ct)
    {
        await SendAsync(HttpMethod.Get, EngineRoutes.Health, null, ct);
        if (!_hasModels) await ModelsAsync(ct);
        if (!hasWeights()) return new EngineView(false, EngineView.FirstVersion, 0);
        var paused = SendAsync(HttpMethod.Get, EngineRoutes.IsPaused, null, ct);
        var version = SendAsync(HttpMethod.Get, EngineRoutes.WeightInfo, null, ct);
        if (_worldSize == 0) _worldSize = Field(await SendAsync(HttpMethod.Get, EngineRoutes.WorldSize, null, ct), "world_size", value => (int)value);
        return new EngineView(
            Field(await paused, "is_paused", value => (bool)value),
            Field(await version, "weight_version", value => (string?)value) ?? EngineView.FirstVersion,
            _worldSize);
    }

    /// <inheritdoc/>
    public async Task<EngineLoad> LoadAsync(CancellationToken ct) =>
        EngineMetrics.Read(await TextAsync(HttpMethod.Get, EngineRoutes.Metrics, null, ct));

    /// <inheritdoc/>
    public Task InitAsync(JsonObject initInfo, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, EngineRoutes.Init, new JsonObject { ["init_info"] = initInfo.DeepClone() }, ct);

    /// <inheritdoc/>
    public Task PauseAsync(PauseMode mode, bool clearCache, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, $"{EngineRoutes.Pause}?mode={Word(mode)}&clear_cache={(clearCache ? "true" : "false")}", null, ct);

    /// <inheritdoc/>
    public Task ResumeAsync(CancellationToken ct) => SendAsync(HttpMethod.Post, EngineRoutes.Resume, null, ct);

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken ct) => SendAsync(HttpMethod.Post, EngineRoutes.Start, null, ct);

    /// <inheritdoc/>
    public Task UpdateAsync(JsonNode updateInfo, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, EngineRoutes.Update, new JsonObject { ["update_info"] = updateInfo.DeepClone() }, ct);

    /// <inheritdoc/>
    public Task FinishAsync(string? version, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, EngineRoutes.Finish, version is null ? null : new JsonObject { ["weight_version"] = version }, ct);

    /// <inheritdoc/>
    public Task ResetCacheAsync(CancellationToken ct) => SendAsync(HttpMethod.Post, EngineRoutes.ResetPrefixCache, null, ct);

    /// <inheritdoc/>
    public Task ReloadAsync(string path, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, EngineRoutes.CollectiveRpc, new JsonObject { ["method"] = "reload_weights", ["kwargs"] = new JsonObject { ["weights_path"] = path } }, ct);

    /// <inheritdoc/>
    public Task NameVersionAsync(string version, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, EngineRoutes.NameVersion, new JsonObject { ["new_version"] = version }, ct);

    // Health is there before the model is. A key is the clients' affair.
    private async Task ModelsAsync(CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(clients, Models));
            using var answer = await http.SendAsync(request, ct);
            if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Unauthorized)) throw new EngineException($"{Models} answered {((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture)}");
            _hasModels = true;
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            throw new EngineException($"{Models} was not answered: {error.Message}", error);
        }
    }

    private static string Word(PauseMode mode) => mode switch
    {
        PauseMode.Keep => "keep",
        PauseMode.Wait => "wait",
        _ => "abort",
    };

    private async Task<JsonNode?> SendAsync(HttpMethod method, string route, JsonObject? body, CancellationToken ct)
    {
        var text = await TextAsync(method, route, body, ct);
        try
        {
            return text.Length == 0 || text[0] != '{' ? null : JsonNode.Parse(text);
        }
        catch (JsonException error)
        {
            throw new EngineException($"{route} answered something that is no JSON", error);
        }
    }

    private async Task<string> TextAsync(HttpMethod method, string route, JsonObject? body, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(control, route));

            // With its length: not every small server reads chunks.
            if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            using var answer = await http.SendAsync(request, ct);
            var text = await answer.Content.ReadAsStringAsync(ct);
            return answer.StatusCode switch
            {
                HttpStatusCode.OK => text,
                HttpStatusCode.NotFound => throw new EngineException($"{route} is not there; the engine needs VLLM_SERVER_DEV_MODE=1 and a version that has it"),
                var status => throw new EngineException($"{route} answered {((int)status).ToString(CultureInfo.InvariantCulture)}: {text[..Math.Min(text.Length, LongestText)].Trim()}"),
            };
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            throw new EngineException($"{route} was not answered: {error.Message}", error);
        }
    }

    private static T Field<T>(JsonNode? body, string name, Func<JsonNode, T> read)
    {
        try
        {
            return read(body?[name] ?? throw new EngineException($"an answer has no {name}"));
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException)
        {
            throw new EngineException($"{name} of an answer can't be read", error);
        }
    }
}
