namespace Trestle.Bench.CacheMount;

/// <summary>What serves a directory.</summary>
public enum MountKind
{
    LocalDisk,
    FusePassthrough,
    FusePlain,
    Directory,
    Rclone,
    RcloneEightTransfers,
}
