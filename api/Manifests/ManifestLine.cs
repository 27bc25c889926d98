namespace Trestle.Api.Manifests;

/// <summary>What became of a key of a foreign format.</summary>
public enum Fate
{
    /// <summary>Means the same here.</summary>
    Mapped,

    /// <summary>Handed on as it is.</summary>
    PassedThrough,

    /// <summary>Means something else here, or nothing; a person should look.</summary>
    NeedsYou,
}

/// <summary>What became of one key.</summary>
/// <param name="Source">Name of the file.</param>
/// <param name="Line">Where, from 1.</param>
/// <param name="Fate">In a word.</param>
/// <param name="Text">In a sentence.</param>
public sealed record ManifestLine(string Source, int Line, Fate Fate, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Source}:{Line}: {Word}: {Text}";

    private string Word => Fate switch
    {
        Fate.Mapped => "mapped",
        Fate.PassedThrough => "passed through",
        _ => "needs you",
    };
}
