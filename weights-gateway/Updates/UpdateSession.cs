using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>An update in flight.</summary>
public sealed class UpdateSession(IEnumerable<Member> members, bool isHeld)
{
    /// <summary>Replicas that take part and have not failed.</summary>
    public List<Member> Members { get; } = [.. members];

    /// <summary>Names of those that failed in it.</summary>
    public List<string> Failed { get; } = [];

    /// <summary>The trainer paused by itself and will resume by itself.</summary>
    public bool IsHeld { get; set; } = isHeld;

    /// <summary>Where it stands.</summary>
    public UpdatePhase Phase { get; set; } = UpdatePhase.Pausing;

    /// <summary>start_weight_update was sent.</summary>
    public bool IsStarted { get; set; }

    /// <summary>Weights have been on their way: old weights may be gone.</summary>
    public bool IsTouched { get; set; }

    /// <summary>All hold the new version; only the resume is missing.</summary>
    public bool IsComplete { get; set; }

    /// <summary>The version, once it is known.</summary>
    public string? Version { get; set; }

    /// <summary>When the trainer was last heard.</summary>
    public long HeardAt { get; set; }

    /// <summary>When its phases began.</summary>
    public Dictionary<UpdatePhase, long> Began { get; } = [];
}
