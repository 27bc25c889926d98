using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.InferenceServices;

/// <summary>Load → number of replicas: up at once, down to the most that was asked for in the last five minutes. Pure.</summary>
internal static class Autoscaler
{
    /// <summary>How long less is to be asked for before there are fewer.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>Kept when autoscaling.target is absent.</summary>
    public const int DefaultTarget = 5;

    /// <summary>What the load asks for. Without a report that is what there is.</summary>
    public static int Recommend(AutoscalingSpec spec, LoadStatus? load, int now)
    {
        var measured = spec.Metric == AutoscalingMetric.RequestsRunning ? load?.Running : load?.Waiting;
        if (measured is not { } requests) return Within(spec, now);
        var target = spec.Target ?? DefaultTarget;
        var wanted = (int)Math.Min(((long)requests + target - 1) / target, int.MaxValue);

        // While anything waits, what there is is not too much.
        return Within(spec, load!.Waiting > 0 ? Math.Max(wanted, now) : wanted);
    }

    /// <summary>How many there should be.</summary>
    /// <param name="spec">The limits.</param>
    /// <param name="now">How many there should be as yet.</param>
    /// <param name="wanted">What is asked for at this moment.</param>
    /// <param name="recent">What was asked for in the last <see cref="Window"/>.</param>
    public static int Decide(AutoscalingSpec spec, int now, int wanted, IEnumerable<Recommendation> recent) =>
        Within(spec, wanted >= now ? wanted : Math.Min(now, recent.Select(one => one.Replicas).Append(wanted).Max()));

    /// <summary>The number within the limits.</summary>
    public static int Within(AutoscalingSpec spec, int replicas) => Math.Max(Math.Min(replicas, spec.Max ?? int.MaxValue), Math.Min(spec.Min ?? 1, spec.Max ?? int.MaxValue));
}
