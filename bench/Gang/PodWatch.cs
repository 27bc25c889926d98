using System.Globalization;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Bench.Gang;

/// <summary>Counts pods as they are made and let go, by attempt.</summary>
internal sealed class PodWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly PodCount _exist = new();
    private readonly PodCount _open = new();
    private readonly Lock _lock = new();
    private readonly List<(Func<bool> Holds, TaskCompletionSource Told)> _waiting = [];
    private readonly Task _reading;

    private PodWatch(StreamReader lines, Func<CancellationToken, Task<StreamReader>> open, string attemptLabel, CancellationToken ct)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _reading = ReadAsync(lines, open, attemptLabel, _stop.Token);
    }

    /// <summary>Name of some pod of the attempt.</summary>
    public string AnyPod(int attempt)
    {
        lock (_lock) return _exist.Names(attempt).Order(StringComparer.Ordinal).First();
    }

    /// <summary>Begins to watch; <paramref name="attemptLabel"/> is the label that numbers the attempts.</summary>
    public static async Task<PodWatch> StartAsync(HttpClient api, string selector, string attemptLabel, CancellationToken ct)
    {
        return new PodWatch(await OpenAsync(ct), OpenAsync, attemptLabel, ct);

        Task<StreamReader> OpenAsync(CancellationToken token) => api.OpenAsync($"{ApiCalls.Pods}?watch=true&labelSelector={Uri.EscapeDataString(selector)}", token);
    }

    /// <summary>When so many pods of the attempt have been made.</summary>
    public Task ExistAsync(int attempt, int count) => WhenAsync(() => _exist.Names(attempt).Count >= count);

    /// <summary>When so many pods of the attempt have no gate.</summary>
    public Task OpenAsync(int attempt, int count) => WhenAsync(() => _open.Names(attempt).Count >= count);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private Task WhenAsync(Func<bool> holds)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (holds()) return Task.CompletedTask;
            _waiting.Add((holds, told));
        }

        return told.Task.WaitAsync(TimeSpan.FromMinutes(10));
    }

    // A server ends the watch of a slow reader; the next one begins with all that is there.
    private async Task ReadAsync(StreamReader lines, Func<CancellationToken, Task<StreamReader>> open, string attemptLabel, CancellationToken ct)
    {
        for (; ; lines = await open(ct))
        {
            using (lines)
            {
                while (await lines.ReadLineAsync(ct) is { } line)
                {
                    var change = JsonNode.Parse(line)!;
                    if ((string?)change["type"] is "ADDED" or "MODIFIED") Take(change["object"]!, attemptLabel);
                }
            }
        }
    }

    private void Take(JsonNode pod, string attemptLabel)
    {
        var metadata = pod["metadata"]!;
        var name = (string)metadata["name"]!;
        var attempt = int.Parse((string?)metadata["labels"]![attemptLabel] ?? "0", CultureInfo.InvariantCulture);
        lock (_lock)
        {
            var news = _exist.Names(attempt).Add(name);
            if (pod["spec"]!["schedulingGates"] is null or JsonArray { Count: 0 }) news |= _open.Names(attempt).Add(name);
            if (!news) return;
            foreach (var (_, told) in _waiting.FindAll(waiting => waiting.Holds())) told.TrySetResult();
            _waiting.RemoveAll(waiting => waiting.Told.Task.IsCompleted);
        }
    }

    /// <summary>Names of pods by attempt.</summary>
    private sealed class PodCount
    {
        private readonly Dictionary<int, HashSet<string>> _names = [];

        public HashSet<string> Names(int attempt)
        {
            if (!_names.TryGetValue(attempt, out var names)) _names[attempt] = names = new HashSet<string>(StringComparer.Ordinal);
            return names;
        }
    }
}
