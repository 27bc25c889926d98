namespace Trestle.CacheMount.Native;

/// <summary>Numbers of errno(3) that are told apart.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int Io = 5;
    public const int BadDescriptor = 9;
    public const int Again = 11;
    public const int NoMemory = 12;
    public const int NoAccess = 13;
    public const int Busy = 16;
    public const int Exists = 17;
    public const int NoDevice = 19;
    public const int Invalid = 22;
    public const int NoSpace = 28;
    public const int Range = 34;
    public const int NotImplemented = 38;
    public const int NotEmpty = 39;
    public const int NoData = 61;
    public const int NotSupported = 95;
    public const int NotConnected = 107;
    public const int Stale = 116;
}
