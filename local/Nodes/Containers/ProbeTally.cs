using k8s.Models;

namespace Trestle.Local.Nodes.Containers;

/// <summary>Counts a probe's answers in a row and gives the verdict. Pure.</summary>
public sealed class ProbeTally(V1Probe probe)
{
    private int _good;
    private int _bad;

    /// <summary>True: passing; false: failing; null: not enough answers yet to change.</summary>
    public bool? Count(bool answeredWell)
    {
        (_good, _bad) = answeredWell ? (_good + 1, 0) : (0, _bad + 1);
        if (answeredWell) return _good >= (probe.SuccessThreshold ?? 1) ? true : null;
        return _bad >= (probe.FailureThreshold ?? 3) ? false : null;
    }
}
