using Trestle.CacheMount.Native;

namespace Trestle.Integration.Tests.CacheMount.Fuse;

/// <summary>Whether this machine lets us mount.</summary>
internal static class FuseDevice
{
    /// <summary>Without FUSE, or without root, the test is skipped, and with CI=true it fails.</summary>
    public static void Require()
    {
        var missing = !File.Exists("/dev/fuse") ? "these tests need /dev/fuse" : Posix.User() != 0 ? "these tests need root" : null;
        if (Environment.GetEnvironmentVariable("CI") == "true") missing.ShouldBeNull();
        Assert.SkipWhen(missing is not null, missing ?? "");
    }
}
