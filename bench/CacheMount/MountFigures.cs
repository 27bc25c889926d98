namespace Trestle.Bench.CacheMount;

/// <summary>What was measured of one kind of mount. A figure that has no meaning for it is null.</summary>
/// <param name="Write">Bytes per second until the last close has returned.</param>
/// <param name="AllStored">Seconds from the first write until the store has everything.</param>
/// <param name="Cpu">Seconds of processor time that the serving process took for that.</param>
/// <param name="WarmRead">Bytes per second of what is in the cache.</param>
/// <param name="ColdRead">Bytes per second of what only the store has.</param>
/// <param name="Creates">Small files created, written and closed per second.</param>
/// <param name="MemoryMiB">Most memory that the serving process had.</param>
public sealed record MountFigures(double Write, double? AllStored, double? Cpu, double WarmRead, double? ColdRead, double Creates, double? MemoryMiB);
