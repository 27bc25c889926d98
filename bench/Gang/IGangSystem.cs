using System.Text.Json.Nodes;

namespace Trestle.Bench.Gang;

/// <summary>One that makes gangs of pods out of objects of its own.</summary>
internal interface IGangSystem
{
    /// <summary>Label of its pods that numbers the attempts.</summary>
    string AttemptLabel { get; }

    /// <summary>Number of the first attempt.</summary>
    int FirstAttempt { get; }

    /// <summary>Where its objects are made.</summary>
    string Collection { get; }

    /// <summary>Its pods may hold a gate that is theirs to open: they count when it is open.</summary>
    bool Gates { get; }

    /// <summary>Label selector of the pods of the objects with the label <c>bench=ROUND</c>.</summary>
    string Pods(string round);

    /// <summary>The object of a gang of so many ranks with a GPU each, or a small share of a CPU.</summary>
    JsonObject Gang(string name, string round, int ranks, bool gpu);

    /// <summary>Its processes on this machine.</summary>
    IReadOnlyList<int> Processes();
}
