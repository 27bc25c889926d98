namespace Trestle.Api.Manifests;

/// <summary>What is wrong in a manifest and what to change.</summary>
/// <param name="Source">Name of the file.</param>
/// <param name="Line">Where, from 1.</param>
/// <param name="Sentence">One sentence.</param>
public sealed record ManifestError(string Source, int Line, string Sentence)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Source}:{Line}: {Sentence}";
}
