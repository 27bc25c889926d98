namespace Trestle.CacheMount.Fuse;

/// <summary>An open file.</summary>
/// <param name="Node">Of the file.</param>
/// <param name="Descriptor">Of the file in the cache; of what is there of it, when the store has it.</param>
/// <param name="Writes">May write.</param>
/// <param name="Content">Brings what is not there yet; null when everything is.</param>
internal sealed record FileHandle(Node Node, int Descriptor, bool Writes, LazyFile? Content);
