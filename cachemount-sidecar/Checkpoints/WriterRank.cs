namespace Trestle.CacheMount.Checkpoints;

/// <summary>One of several ranks that write the same checkpoints, each into a cache of its own.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Nodes">How many there are.</param>
/// <param name="Run">Name of the job; no other one uses it.</param>
/// <param name="Attempt">Its attempt.</param>
internal sealed record WriterRank(int Index, int Nodes, string Run, int Attempt);
