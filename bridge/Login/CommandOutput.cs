namespace Trestle.Bridge.Login;

/// <summary>What a script wrote and how it ended; <paramref name="Output"/> and <paramref name="Error"/> as bytes.</summary>
public sealed record CommandOutput(int ExitCode, ReadOnlyMemory<byte> Output, ReadOnlyMemory<byte> Error);
