namespace Trestle.CacheMount.Native;

/// <summary>What tells one state of a file from another without reading it.</summary>
/// <param name="Inode">Inode number.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ModifiedNs">Time of the last change of its content, in nanoseconds since 1970.</param>
/// <param name="ChangedNs">Time of the last change of anything of it, which users can't set.</param>
/// <param name="Racy">True: it was looked at within a tick of its last change, so an equal fingerprint proves nothing.</param>
internal readonly record struct Fingerprint(ulong Inode, long Size, long ModifiedNs, long ChangedNs, bool Racy)
{
    /// <summary>A tick of the coarsest file systems in use, with room.</summary>
    public const long TickNs = 100_000_000;

    /// <summary>Whether the same inode has the same size and time of change; says nothing of changes within a tick.</summary>
    public bool LooksLike(Fingerprint other) => Inode == other.Inode && Size == other.Size && ModifiedNs == other.ModifiedNs;

    /// <summary>Whether a file that looks like this now surely has the content it had then.</summary>
    public bool Proves(Fingerprint now) => !Racy && LooksLike(now);

    /// <summary>As <see cref="Proves"/>, and nobody has touched its metadata either.</summary>
    public bool ProvesUntouched(Fingerprint now) => Proves(now) && ChangedNs == now.ChangedNs;
}
