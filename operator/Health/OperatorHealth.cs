using Trestle.Runtime;

namespace Trestle.Operator.Health;

/// <summary>What an operator says of itself to whoever asks, from any thread.</summary>
public sealed class OperatorHealth : IHealth
{
    private readonly Lock _lock = new();
    private OperatorPhase _phase = OperatorPhase.Starting;

    /// <summary>How far it is.</summary>
    public OperatorPhase Phase
    {
        get
        {
            lock (_lock) return _phase;
        }
    }

    /// <summary>Whether it does its part: works, or stands by for the lease.</summary>
    public bool IsReady => Phase is OperatorPhase.Working or OperatorPhase.StandingBy;

    /// <summary>One line for people. Why something fails is in the log: it may name objects, and whoever asks is unknown.</summary>
    public string Text => Phase switch
    {
        OperatorPhase.Working => "leading",
        OperatorPhase.StandingBy => "standing by for the lease",
        OperatorPhase.FillingCaches => "leading; the caches are not filled yet",
        OperatorPhase.Failing => "can't work; the log says why",
        OperatorPhase.Stopping => "stopping",
        _ => "the API server has not answered yet",
    };

    /// <summary>Sets the phase; what is stopping stays so.</summary>
    internal void Is(OperatorPhase phase)
    {
        lock (_lock)
        {
            if (_phase != OperatorPhase.Stopping) _phase = phase;
        }
    }
}
