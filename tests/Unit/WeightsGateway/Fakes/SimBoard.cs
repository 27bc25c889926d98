using System.Text.Json;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Tests.Fakes;

/// <summary>A board in memory, kept as text as the API server would.</summary>
internal sealed class SimBoard : IServiceBoard
{
    private string? _text;

    public int Writes { get; private set; }

    public List<string> Phases { get; } = [];

    public Dictionary<string, bool> Gates { get; } = [];

    public Dictionary<string, string> GateWhys { get; } = [];

    public List<(string Replica, bool Open)> GateWrites { get; } = [];

    /// <summary>Writes that will fail.</summary>
    public int Failing { get; set; }

    /// <summary>Told of what is written, before it is.</summary>
    public Action<BoardState?, BoardState>? Writing { get; set; }

    /// <summary>Told when it is written.</summary>
    public Action<BoardState>? Written { get; set; }

    public BoardState? State => _text is null ? null : JsonSerializer.Deserialize<BoardState>(_text);

    public Task<BoardState> TakeAsync(CancellationToken ct) => Task.FromResult(Take());

    /// <summary>As another gateway does.</summary>
    public BoardState Take()
    {
        var left = State ?? new BoardState(new WeightsStatus(), []);
        left.Weights.Term = (left.Weights.Term ?? 0) + 1;
        _text = JsonSerializer.Serialize(left);
        return left;
    }

    public Task<BoardState?> ReadAsync(CancellationToken ct) => Task.FromResult(State);

    public Task WriteAsync(BoardState state, CancellationToken ct)
    {
        if (Failing > 0)
        {
            Failing--;
            throw new BoardException("the API server is away");
        }

        if (State?.Weights.Term is { } term && term > (state.Weights.Term ?? 0)) throw new TakenOverException(term);
        Writing?.Invoke(State, state);
        (_text, Writes) = (JsonSerializer.Serialize(state), Writes + 1);
        Phases.Add(state.Weights.Phase!);
        Written?.Invoke(state);
        return Task.CompletedTask;
    }

    public Task GateAsync(Replica replica, bool open, string why, CancellationToken ct)
    {
        (Gates[replica.Name], GateWhys[replica.Name]) = (open, why);
        GateWrites.Add((replica.Name, open));
        return Task.CompletedTask;
    }
}
