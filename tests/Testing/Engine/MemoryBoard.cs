using System.Collections.Concurrent;
using System.Text.Json;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.Testing.Engine;

/// <summary>What a gateway writes, kept here.</summary>
public sealed class MemoryBoard : IServiceBoard
{
    private readonly Lock _lock = new();
    private volatile string? _text;
    private int _writes;

    public int Writes => Volatile.Read(ref _writes);

    public ConcurrentDictionary<string, bool> Gates { get; } = [];

    /// <summary>Told of each state before it is written.</summary>
    public Action<BoardState>? Writing { get; set; }

    public BoardState? State => _text is { } text ? JsonSerializer.Deserialize<BoardState>(text) : null;

    public Task<BoardState> TakeAsync(CancellationToken ct)
    {
        lock (_lock)
        {
            var left = State ?? new BoardState(new WeightsStatus(), []);
            left.Weights.Term = (left.Weights.Term ?? 0) + 1;
            _text = JsonSerializer.Serialize(left);
            return Task.FromResult(left);
        }
    }

    public Task<BoardState?> ReadAsync(CancellationToken ct) => Task.FromResult(State);

    public Task WriteAsync(BoardState state, CancellationToken ct)
    {
        Writing?.Invoke(state);
        lock (_lock)
        {
            if (State?.Weights.Term is { } term && term > (state.Weights.Term ?? 0)) throw new TakenOverException(term);
            Interlocked.Increment(ref _writes);
            _text = JsonSerializer.Serialize(state);
        }

        return Task.CompletedTask;
    }

    public Task GateAsync(Replica replica, bool open, string why, CancellationToken ct)
    {
        Interlocked.Increment(ref _writes);
        Gates[replica.Name] = open;
        return Task.CompletedTask;
    }
}
