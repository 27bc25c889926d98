namespace Trestle.Operator.InferenceServices;

/// <summary>What stands in the way of a service, though it may go away.</summary>
/// <param name="Reason">One CamelCase word.</param>
/// <param name="Message">A sentence.</param>
internal sealed record Obstacle(string Reason, string Message);
