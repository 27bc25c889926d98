namespace Trestle.WeightsGateway.Engines;

/// <summary>What an engine says of itself.</summary>
/// <param name="IsPaused">It makes no tokens.</param>
/// <param name="Version">Version of its weights; "default" after a start.</param>
/// <param name="WorldSize">Its ranks.</param>
public sealed record EngineView(bool IsPaused, string Version, int WorldSize)
{
    /// <summary>Version of the weights that an engine was started with.</summary>
    public const string FirstVersion = "default";
}
