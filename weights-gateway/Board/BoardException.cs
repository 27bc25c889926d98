namespace Trestle.WeightsGateway.Board;

/// <summary>The board can't be read or written now.</summary>
public sealed class BoardException(string message, Exception? cause = null) : Exception(message, cause);
