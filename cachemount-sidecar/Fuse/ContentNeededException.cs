namespace Trestle.CacheMount.Fuse;

/// <summary>What is to be done needs files in the cache that only the store has.</summary>
internal sealed class ContentNeededException(params IReadOnlyList<string> paths) : Exception("only the store has it")
{
    public IReadOnlyList<string> Paths => paths;
}
