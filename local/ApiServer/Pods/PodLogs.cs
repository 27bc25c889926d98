using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>
/// Logs, read from the files the node agent writes: <c>nodes/NODE/pods/UID/CONTAINER/RESTART.log</c> with lines
/// <c>TIME stdout|stderr F|P TEXT</c>.
/// </summary>
internal sealed class PodLogs(string? stateDirectory, ObjectStore store, TimeProvider time, CancellationToken stopping)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    public async Task SendAsync(ApiRequest request, StoredObject stored)
    {
        var pod = stored.Parse();
        var container = ChooseContainer(request, pod);
        var options = LogOptions.Of(request, time.GetUtcNow());
        var node = pod.Object("spec").Text("nodeName");
        if (string.IsNullOrEmpty(node)) throw ApiException.BadRequest($"pod {stored.Name} does not have a host assigned");
        var status = Status(pod, container);
        var restart = FindRestart(status, container, stored.Name, options.Previous);
        request.Http.Response.ContentType = "text/plain";
        var path = stateDirectory is null ? "" : Path.Combine(stateDirectory, "nodes", node, "pods", stored.Uid, container, $"{restart}.log");
        var writer = new LogWriter(request.Http.Response.BodyWriter, options);
        var position = File.Exists(path) ? await writer.SendAsync(path, 0, options.TailLines, request.Aborted) : 0;
        if (options.Follow) await FollowAsync(request, stored, container, restart, path, position, writer);
    }

    private async Task FollowAsync(ApiRequest request, StoredObject stored, string container, long restart, string path, long position, LogWriter writer)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, stopping);
        using var timer = new PeriodicTimer(Poll, time);
        try
        {
            while (!writer.IsFull)
            {
                var isRunning = IsRunning(request, stored, container, restart);
                if (File.Exists(path)) position = await writer.SendAsync(path, position, null, end.Token);
                if (!isRunning) return;
                await timer.WaitForNextTickAsync(end.Token);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client left, or the server stops.
        }
    }

    private bool IsRunning(ApiRequest request, StoredObject stored, string container, long restart)
    {
        var now = store.Get(request.Resource.StorageKey, stored.Key);
        if (now is null || now.Uid != stored.Uid) return false;
        var pod = now.Parse();
        if (pod.Object("status").Text("phase") is "Succeeded" or "Failed") return false;
        var status = Status(pod, container);
        return (status.Integer("restartCount") ?? 0) == restart && status.Object("state").Object("terminated") is null;
    }

    private static string ChooseContainer(ApiRequest request, JsonObject pod)
    {
        var spec = pod.Object("spec");
        var names = PodDefaults.Containers(spec).Select(c => c.Text("name") ?? "").ToArray();
        var mains = (spec.Array("containers") ?? []).OfType<JsonObject>().Select(c => c.Text("name") ?? "").ToArray();
        if (request.Query("container") is { Length: > 0 } asked)
            return names.Contains(asked) ? asked : throw ApiException.BadRequest($"container {asked} is not valid for pod {request.Name}");
        if (mains.Length == 1) return mains[0];
        if (pod.Object("metadata").Object("annotations").Text("kubectl.kubernetes.io/default-container") is { } preferred && names.Contains(preferred)) return preferred;
        throw ApiException.BadRequest($"a container name must be specified for pod {request.Name}, choose one of: [{string.Join(' ', mains)}]");
    }

    private static long FindRestart(JsonObject? status, string container, string pod, bool previous)
    {
        var restarts = status.Integer("restartCount") ?? 0;
        if (previous) return restarts > 0 ? restarts - 1 : throw ApiException.BadRequest($"previous terminated container \"{container}\" in pod \"{pod}\" not found");
        if (status.Object("state").Object("waiting") is { } waiting && restarts == 0 && status.Object("lastState").Object("terminated") is null)
            throw ApiException.BadRequest($"container \"{container}\" in pod \"{pod}\" is waiting to start: {waiting.Text("reason") ?? "ContainerCreating"}");
        return restarts;
    }

    private static JsonObject? Status(JsonObject pod, string container) =>
        new[] { "containerStatuses", "initContainerStatuses" }.SelectMany(list => PodStatusText.Statuses(pod, list)).FirstOrDefault(s => s.Text("name") == container);
}

/// <summary>What of a log was asked for.</summary>
internal sealed record LogOptions(bool Follow, bool Previous, bool Timestamps, long? TailLines, long? LimitBytes, DateTimeOffset? Since)
{
    public static LogOptions Of(ApiRequest request, DateTimeOffset now)
    {
        var since = request.Query("sinceTime") is { Length: > 0 } time
            ? Timestamp.Parse(time) ?? throw ApiException.BadRequest($"sinceTime {time} is not an RFC 3339 time")
            : Number(request, "sinceSeconds", 1) is { } seconds ? now.AddSeconds(-seconds) : (DateTimeOffset?)null;
        return new LogOptions(request.Flag("follow"), request.Flag("previous"), request.Flag("timestamps"), Number(request, "tailLines", 0), Number(request, "limitBytes", 1), since);
    }

    private static long? Number(ApiRequest request, string name, long least)
    {
        if (request.Query(name) is not { Length: > 0 } text) return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least
            ? value
            : throw ApiException.Invalid("", "PodLogOptions", request.Name, [Trestle.Local.ApiMachinery.FieldError.Invalid(name, text, $"must be greater than or equal to {least}")]);
    }
}

/// <summary>Turns lines of a log file into what the client asked for.</summary>
internal sealed class LogWriter(PipeWriter output, LogOptions options)
{
    private const int Chunk = 64 << 10;
    private long _left = options.LimitBytes ?? long.MaxValue;

    public bool IsFull => _left <= 0;

    /// <summary>Sends the complete lines after <paramref name="from"/>, of them only the last <paramref name="tail"/>; returns where to go on.</summary>
    public async Task<long> SendAsync(string path, long from, long? tail, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, Chunk, useAsync: false);
        var position = tail is null ? from : FindTail(file, from, tail.Value);
        file.Seek(position, SeekOrigin.Begin);
        var pending = new MemoryStream();
        var buffer = new byte[Chunk];
        int read;
        while (!IsFull && (read = await file.ReadAsync(buffer, cancel)) > 0)
        {
            position += Split(buffer.AsSpan(0, read), pending);
            await output.FlushAsync(cancel);
        }

        return position;
    }

    // Bytes of complete lines that were consumed.
    private long Split(ReadOnlySpan<byte> bytes, MemoryStream pending)
    {
        long consumed = 0;
        int end;
        while ((end = bytes.IndexOf((byte)'\n')) >= 0)
        {
            pending.Write(bytes[..end]);
            WriteLine(pending.GetBuffer().AsSpan(0, (int)pending.Length));
            consumed += pending.Length + 1;
            pending.SetLength(0);
            bytes = bytes[(end + 1)..];
        }

        pending.Write(bytes);
        return consumed;
    }

    private void WriteLine(ReadOnlySpan<byte> line)
    {
        var timeEnd = line.IndexOf((byte)' ');
        if (timeEnd < 0) return;
        var rest = line[(timeEnd + 1)..];
        var streamEnd = rest.IndexOf((byte)' ');
        if (streamEnd < 0) return;
        rest = rest[(streamEnd + 1)..];
        var isPartial = rest is [(byte)'P', ..];
        var text = rest.Length > 2 ? rest[2..] : default;
        if (options.Since is { } since && Timestamp.Parse(Encoding.ASCII.GetString(line[..timeEnd])) is { } at && at < since) return;
        if (options.Timestamps) Write(line[..(timeEnd + 1)]);
        Write(text);
        if (!isPartial) Write("\n"u8);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _left) bytes = bytes[..(int)_left];
        _left -= bytes.Length;
        System.Buffers.BuffersExtensions.Write(output, bytes);
    }

    // Reads backwards until enough line ends were seen.
    private static long FindTail(FileStream file, long from, long lines)
    {
        var position = file.Length;
        var wanted = lines + 1;
        var buffer = new byte[Chunk];
        while (position > from)
        {
            var size = (int)Math.Min(Chunk, position - from);
            position -= size;
            file.Seek(position, SeekOrigin.Begin);
            file.ReadExactly(buffer, 0, size);
            for (var i = size - 1; i >= 0; i--)
            {
                if (buffer[i] == '\n' && --wanted == 0) return position + i + 1;
            }
        }

        return from;
    }
}
