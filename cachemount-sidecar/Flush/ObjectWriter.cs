namespace Trestle.CacheMount.Flush;

/// <summary>Who writes objects.</summary>
/// <param name="Id">A name that no other cache has.</param>
/// <param name="Name">Of the node or pod, for people.</param>
internal sealed record ObjectWriter(string Id, string Name)
{
    /// <summary>The job; empty when not known.</summary>
    public string Run { get; init; } = "";

    /// <summary>Its attempt.</summary>
    public int Attempt { get; init; }

    /// <summary>Which of its ranks.</summary>
    public int Rank { get; init; }
}
