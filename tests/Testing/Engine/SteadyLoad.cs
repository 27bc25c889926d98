using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Trestle.Testing.Engine;

/// <summary>Clients that ask one after another and keep what came: every answer's tokens, and every request that got none.</summary>
public sealed class SteadyLoad : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients;
    private long _answers;

    /// <param name="http">Carries requests.</param>
    /// <param name="server">Whom to ask.</param>
    /// <param name="clients">How many ask at a time.</param>
    /// <param name="tokens">Tokens of an answer.</param>
    /// <param name="asking">Called before each request; what it gives is called with the answer's text.</param>
    public SteadyLoad(HttpClient http, Uri server, int clients, int tokens = 8, Func<Action<string>>? asking = null)
    {
        _clients = [.. Enumerable.Range(0, clients).Select(_ => Task.Run(() => AskAsync(http, new Uri(server, "/v1/completions"), tokens, asking)))];
    }

    public long Answers => Interlocked.Read(ref _answers);

    /// <summary>Why requests got no whole answer.</summary>
    public ConcurrentQueue<string> Dropped { get; } = [];

    /// <summary>Lets the last requests end.</summary>
    public async Task StopAsync()
    {
        if (!_stop.IsCancellationRequested) await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task AskAsync(HttpClient http, Uri at, int tokens, Func<Action<string>>? asking)
    {
        while (!_stop.IsCancellationRequested)
        {
            var answered = asking?.Invoke();
            try
            {
                using var answer = await http.PostAsJsonAsync(at, new JsonObject { ["prompt"] = "x", ["max_tokens"] = tokens }, CancellationToken.None);
                var text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                var choice = answer.IsSuccessStatusCode ? JsonNode.Parse(text)!["choices"]![0]! : null;
                if (choice is null || (string?)choice["finish_reason"] != "length")
                {
                    Dropped.Enqueue($"{(int)answer.StatusCode} {text}");
                    await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
                    continue;
                }

                Interlocked.Increment(ref _answers);
                answered?.Invoke((string)choice["text"]!);
            }
            catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
            {
                Dropped.Enqueue(error.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }
}
