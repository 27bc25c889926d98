namespace Trestle.WeightsGateway.Engines;

/// <summary>What an engine is busy with.</summary>
/// <param name="Running">Requests that make tokens.</param>
/// <param name="Waiting">Requests in its queue.</param>
/// <param name="Tokens">Tokens made since its start.</param>
public sealed record EngineLoad(double Running, double Waiting, double Tokens);
