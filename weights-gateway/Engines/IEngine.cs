using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;

namespace Trestle.WeightsGateway.Engines;

/// <summary>The control routes of one engine. All throw <see cref="EngineException"/> when it refuses, dies or can't be reached.</summary>
public interface IEngine
{
    /// <summary>Whether it is paused, its version and its ranks.</summary>
    Task<EngineView> LookAsync(CancellationToken ct);

    /// <summary>Requests and tokens.</summary>
    Task<EngineLoad> LoadAsync(CancellationToken ct);

    /// <summary>Joins the transfer group.</summary>
    Task InitAsync(JsonObject initInfo, CancellationToken ct);

    /// <summary>Complete when it makes no more tokens.</summary>
    Task PauseAsync(PauseMode mode, bool clearCache, CancellationToken ct);

    /// <summary>Ends the pause.</summary>
    Task ResumeAsync(CancellationToken ct);

    /// <summary>Begins an update.</summary>
    Task StartAsync(CancellationToken ct);

    /// <summary>Takes one part of the weights; complete when it has them.</summary>
    Task UpdateAsync(JsonNode updateInfo, CancellationToken ct);

    /// <summary>Ends the update; null leaves the version as it was.</summary>
    Task FinishAsync(string? version, CancellationToken ct);

    /// <summary>Empties the prefix cache.</summary>
    Task ResetCacheAsync(CancellationToken ct);

    /// <summary>Reads weights from a path or URI.</summary>
    Task ReloadAsync(string path, CancellationToken ct);

    /// <summary>Says which version it holds.</summary>
    Task NameVersionAsync(string version, CancellationToken ct);
}
