using Trestle.Api.V1Alpha1;

namespace Trestle.WeightsGateway.Updates;

/// <summary>What the service's spec says about its weights, with defaults.</summary>
public sealed record WeightsRules
{
    /// <summary>Kind of source.</summary>
    public WeightsSourceType Source { get; init; } = WeightsSourceType.None;

    /// <summary>Version that people declared.</summary>
    public string? Declared { get; init; }

    /// <summary>Where a version is.</summary>
    public string? UriTemplate { get; init; }

    /// <summary>File that says a version is complete.</summary>
    public string? ReadyMarker { get; init; }

    /// <summary>Order of replicas.</summary>
    public WeightsStrategy Strategy { get; init; } = WeightsStrategy.Barrier;

    /// <summary>Replicas out of rotation at a time.</summary>
    public string MaxUnavailable { get; init; } = "25%";

    /// <summary>What becomes of running requests.</summary>
    public PauseMode PauseMode { get; init; } = PauseMode.Keep;

    /// <summary>Whether prefix caches are emptied.</summary>
    public bool ResetsCache { get; init; } = true;

    /// <summary>How long a pause may take.</summary>
    public TimeSpan PauseLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a part of the weights may take, and how long the trainer may be silent in an update.</summary>
    public TimeSpan TransferLimit { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>How long a resume may take, and how long the trainer may keep a finished update paused.</summary>
    public TimeSpan ResumeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Which replicas may answer.</summary>
    public MinServingVersion? Least { get; init; }

    /// <summary>How long requests may run without a token.</summary>
    public TimeSpan NoProgress { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Replicas that are wanted.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Reads a spec. A duration that can't be read counts as absent: the API server refuses such a spec.</summary>
    public static WeightsRules Of(InferenceServiceSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var rules = new WeightsRules { Replicas = spec.Replicas ?? 1, NoProgress = Time(spec.Health?.Stall?.NoProgress, TimeSpan.FromSeconds(120)) };
        if (spec.Weights is not { } weights) return rules;
        return rules with
        {
            Source = weights.Source?.Type ?? WeightsSourceType.None,
            Declared = string.IsNullOrEmpty(weights.Version) ? null : weights.Version,
            UriTemplate = weights.Source?.UriTemplate,
            ReadyMarker = weights.Source?.ReadyMarker,
            Strategy = weights.Strategy ?? WeightsStrategy.Barrier,
            MaxUnavailable = weights.MaxUnavailable ?? "25%",
            PauseMode = weights.PauseMode ?? PauseMode.Keep,
            ResetsCache = weights.Cache != WeightsCache.None,
            PauseLimit = Time(weights.Timeouts?.Pause, rules.PauseLimit),
            TransferLimit = Time(weights.Timeouts?.Transfer, rules.TransferLimit),
            ResumeLimit = Time(weights.Timeouts?.Resume, rules.ResumeLimit),
            Least = weights.MinServingVersion,
        };
    }

    private static TimeSpan Time(string? text, TimeSpan otherwise) => Duration.TryParse(text, out var read) && read > TimeSpan.Zero ? read : otherwise;
}
