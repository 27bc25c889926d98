namespace Trestle.Testing.Engine;

/// <summary>How a stand-in engine behaves.</summary>
public sealed record EngineOptions
{
    /// <summary>Its ranks, tensor times pipeline times data.</summary>
    public int WorldSize { get; init; } = 1;

    /// <summary>Name of the model at /v1/models.</summary>
    public string Model { get; init; } = "policy";

    /// <summary>Time between two tokens.</summary>
    public TimeSpan TokenTime { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>False: init and update return at once, without a trainer (control overhead alone).</summary>
    public bool Transfers { get; init; } = true;

    /// <summary>False: it binds its port and answers no route until <see cref="StandInEngine.Loaded"/>.</summary>
    public bool StartsLoaded { get; init; } = true;

    /// <summary>How long a rank waits for the trainer.</summary>
    public TimeSpan RankLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
