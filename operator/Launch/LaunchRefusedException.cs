namespace Trestle.Operator.Launch;

/// <summary>No pod can be made of a job as it is; the message is a sentence for its owner.</summary>
public sealed class LaunchRefusedException(string message) : ArgumentException(message);
