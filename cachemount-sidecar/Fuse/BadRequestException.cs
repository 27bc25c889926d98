namespace Trestle.CacheMount.Fuse;

/// <summary>A request is shorter than it says, or names what can't be.</summary>
internal sealed class BadRequestException(string message) : Exception(message);
