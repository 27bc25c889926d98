using Trestle.CacheMount.Directories;

namespace Trestle.CacheMount.Fuse;

/// <summary>Something happened in the tree, or somebody wants to know that everything before was told.</summary>
/// <param name="Change">What.</param>
/// <param name="Path">Where.</param>
/// <param name="Reached">Called when its turn comes.</param>
internal sealed record FuseEvent(TreeChange Change, string Path, Action? Reached = null);
