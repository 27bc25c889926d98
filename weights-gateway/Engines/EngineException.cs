namespace Trestle.WeightsGateway.Engines;

/// <summary>An engine did not do what it was asked; the message says what it answered.</summary>
public sealed class EngineException(string message, Exception? cause = null) : Exception(message, cause);
