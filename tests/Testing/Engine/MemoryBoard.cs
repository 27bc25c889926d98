using System.Collections.Concurrent;
using System.Text.Json;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.Testing.Engine;

/// <summary>What a gateway writes, kept here.</summary>
public sealed class MemoryBoard : IServiceBoard
{
    private volatile string? _text;
    private int _writes;

    public int Writes => Volatile.Read(ref _writes);

    public ConcurrentDictionary<string, bool> Gates { get; } = [];

    /// <summary>Told of each state before it is written.</summary>
    public Action<BoardState>? Writing { get; set; }

    public BoardState? State => _text is { } text ? JsonSerializer.Deserialize<BoardState>(text) : null;

    public Task<BoardState?> ReadAsync(CancellationToken ct) => Task.FromResult(State);

    public Task WriteAsync(BoardState state, CancellationToken ct)
    {
        Writing?.Invoke(state);
        Interlocked.Increment(ref _writes);
        _text = JsonSerializer.Serialize(state);
        return Task.CompletedTask;
    }

    public Task GateAsync(Replica replica, bool open, string why, CancellationToken ct)
    {
        Interlocked.Increment(ref _writes);
        Gates[replica.Name] = open;
        return Task.CompletedTask;
    }
}
