using Trestle.Testing.Slurm;

namespace Trestle.EndToEnd.Tests;

/// <summary>What tests with a real Slurm need of this machine.</summary>
internal static class SlurmParts
{
    /// <summary>Without the parts the test is skipped, and with CI=true it fails.</summary>
    public static void Need()
    {
        var missing = SlurmFixture.Missing;
        if (Environment.GetEnvironmentVariable("CI") == "true") missing.ShouldBeNull();
        Assert.SkipWhen(missing is not null, missing ?? "");
    }
}
