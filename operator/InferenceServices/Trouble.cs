namespace Trestle.Operator.InferenceServices;

/// <summary>Why a replica must be made anew.</summary>
/// <param name="Reason">One CamelCase word.</param>
/// <param name="Message">A sentence.</param>
/// <param name="Counts">It is its own fault, or may be: the next one waits longer.</param>
internal sealed record Trouble(string Reason, string Message, bool Counts);
