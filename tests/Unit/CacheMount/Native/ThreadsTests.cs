using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Tests.Native;

public sealed class ThreadsTests
{
    // An alarm; a TERM that nobody handles, which the kernel turns into a KILL of each thread.
    [Theory]
    [InlineData("0000000000002000", "0000000000000000", false)]
    [InlineData("0000000000000100", "0000000000004000", true)]
    [InlineData("0000000000000000", "0000000000000100", true)]
    public void A_pending_kill_is_told_from_other_signals(string ofThread, string ofProcess, bool isKilled) =>
        Threads.IsKilled(["Name:\tpython3", "State:\tD (disk sleep)", $"SigPnd:\t{ofThread}", $"ShdPnd:\t{ofProcess}", "SigCgt:\t0000000000000100"]).ShouldBe(isKilled);

    [Fact]
    public void This_thread_lives_and_one_that_is_not_there_counts_as_killed()
    {
        Threads.IsKilled((uint)Environment.ProcessId).ShouldBeFalse();
        Threads.IsKilled(0).ShouldBeTrue();
        Threads.IsKilled(int.MaxValue).ShouldBeTrue();
    }
}
