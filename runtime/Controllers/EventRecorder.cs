using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Trestle.Runtime;

/// <summary>
/// Writes events in the background, one after the other. The same event about the same object is written once and counted
/// further. When events come faster than the server takes them the oldest are dropped, and their number is logged.
/// </summary>
public sealed class EventRecorder : IEventRecorder
{
    /// <summary>Events that wait to be written, at most.</summary>
    public const int Capacity = 1000;

    /// <summary>Characters of a message, at most.</summary>
    public const int LongestMessage = 1024;

    private const int MostWritten = 4096;
    private const int LongestBaseName = 200;
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);
    private readonly Dictionary<Note, (ObjectKey Key, int Count)> _written = [];
    private readonly Channel<(Note Note, DateTime At)> _notes;
    private readonly IKubeApi _api;
    private readonly string _component;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private long _dropped;
    private long _lastName;

    /// <param name="api">The server.</param>
    /// <param name="component">Who tells, e.g. trestle-operator.</param>
    /// <param name="time">Clock of timestamps.</param>
    /// <param name="log">Where dropped and failed events are told.</param>
    public EventRecorder(IKubeApi api, string component, TimeProvider time, ILogger log)
    {
        (_api, _component, _time, _log) = (api, component, time, log);
        var bounds = new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true };
        _notes = Channel.CreateBounded<(Note, DateTime)>(bounds, _ => Interlocked.Increment(ref _dropped));
    }

    /// <inheritdoc/>
    public void Record(IKubernetesObject<V1ObjectMeta> about, bool warning, string reason, string message)
    {
        var text = message.Length <= LongestMessage ? message : message[..(LongestMessage - 1)] + "…";
        var note = new Note(ResourceKind.OfClass(about.GetType()), about.Key(), about.Metadata.Uid, warning, reason, text);
        _notes.Writer.TryWrite((note, _time.GetUtcNow().UtcDateTime));
    }

    /// <summary>Writes until cancelled; what waits then has 2 s more.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
        await using var stop = ct.Register(() =>
        {
            _notes.Writer.TryComplete();
            end.CancelAfter(LastWords);
        });
        try
        {
            while (await _notes.Reader.WaitToReadAsync(end.Token)) await WriteWaitingAsync(end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            Interlocked.Add(ref _dropped, _notes.Reader.Count);
        }

        TellDropped();
    }

    private async Task WriteWaitingAsync(CancellationToken ct)
    {
        TellDropped();
        var waiting = new List<(Note Note, DateTime At)>();
        while (_notes.Reader.TryRead(out var one)) waiting.Add(one);
        foreach (var same in waiting.GroupBy(one => one.Note))
        {
            try
            {
                await WriteAsync(same.Key, [.. same.Select(one => one.At)], ct);
            }
            catch (Exception error) when (error is KubeApiException or HttpRequestException or IOException or JsonException)
            {
                RuntimeLog.EventFailed(_log, same.Key.Reason, same.Key.About, error.Message);
            }
        }
    }

    private async Task WriteAsync(Note note, IReadOnlyList<DateTime> times, CancellationToken ct)
    {
        if (_written.TryGetValue(note, out var known))
        {
            try
            {
                var count = known.Count + times.Count;
                _written[note] = (known.Key, count);
                var more = new JsonObject { ["count"] = count, ["lastTimestamp"] = times[^1] };
                await _api.PatchAsync<Corev1Event>(known.Key, new Patch(PatchKind.Merge, more), ct);
                return;
            }
            catch (KubeApiException error) when (error.IsNotFound)
            {
                // Servers keep events for an hour or so: it begins anew.
            }
        }

        var made = await _api.CreateAsync(Event(note, times), ct);
        if (_written.Count >= MostWritten) _written.Clear();
        _written[note] = (made.Key(), times.Count);
    }

    private Corev1Event Event(Note note, IReadOnlyList<DateTime> times)
    {
        _lastName = Math.Max(_lastName + 1, times[0].Ticks);
        var (ns, name) = note.About;
        var stem = name.Length <= LongestBaseName ? name : name[..LongestBaseName].TrimEnd('-', '.');
        return new Corev1Event
        {
            ApiVersion = "v1",
            Kind = "Event",
            Metadata = new V1ObjectMeta { Name = $"{stem}.{_lastName:x}", NamespaceProperty = ns.Length == 0 ? "default" : ns },
            InvolvedObject = new V1ObjectReference { ApiVersion = note.Kind.ApiVersion, Kind = note.Kind.Kind, Name = name, NamespaceProperty = ns.Length == 0 ? null : ns, Uid = note.Uid },
            Type = note.Warning ? "Warning" : "Normal",
            Reason = note.Reason,
            Message = note.Message,
            Count = times.Count,
            FirstTimestamp = times[0],
            LastTimestamp = times[^1],
            Source = new V1EventSource { Component = _component },
            ReportingComponent = _component,
        };
    }

    private void TellDropped()
    {
        if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped) RuntimeLog.EventsDropped(_log, dropped);
    }

    private sealed record Note(ResourceKind Kind, ObjectKey About, string? Uid, bool Warning, string Reason, string Message);
}
