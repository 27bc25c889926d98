using Trestle.Api.V1Alpha1;

namespace Trestle.WeightsGateway.Updates;

/// <summary>What the gateway knows beside its replicas. One turn at a time changes it.</summary>
public sealed class GatewayState
{
    /// <summary>Number of this gateway; the replicas refuse one with a lower number.</summary>
    public long Term { get; set; }

    /// <summary>Another gateway drives the replicas by now: this one only answers clients.</summary>
    public bool IsTakenOver { get; set; }

    /// <summary>Completed versions.</summary>
    public VersionHistory History { get; set; } = VersionHistory.Empty;

    /// <summary>Number of the last group.</summary>
    public long Epoch { get; set; }

    /// <summary>The trainer's group; null when it must send init first.</summary>
    public TransferGroup? Group { get; set; }

    /// <summary>The update in flight.</summary>
    public UpdateSession? Session { get; set; }

    /// <summary>The version that is wanted; null when none was ever declared.</summary>
    public string? Desired { get; set; }

    /// <summary>Two versions are served while replicas change one after another.</summary>
    public string? RollingFrom { get; set; }

    /// <summary>Version that all replicas in rotation served when last looked at; null before.</summary>
    public string? Serving { get; set; }

    /// <summary>The last completed update.</summary>
    public WeightsUpdate? Last { get; set; }

    /// <summary>Takes over what is written about weights.</summary>
    public void Restore(WeightsStatus weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (Epoch, Desired, Serving, Last) = (weights.Epoch ?? 0, weights.DesiredVersion, weights.ServingVersion, weights.LastUpdate);
        foreach (var one in weights.Histogram ?? []) History = History.With(one.Version);

        // Complete or not, what was finished last may be served only by those that are verified.
        if (RecoveryPlanner.Phase(weights) is UpdatePhase.Caching or UpdatePhase.Verifying or UpdatePhase.Resuming && weights.DesiredVersion is { } desired) History = History.With(desired);
    }

    /// <summary>Whether a replica with this version may answer now.</summary>
    public bool MayServe(string version, WeightsRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return rules.Source == WeightsSourceType.None
            || History.MayServe(version, rules.Least)
            || version == Session?.Version
            || (RollingFrom is { } from && (version == from || version == Desired));
    }
}
