using Trestle.CacheMount.Directories;

namespace Trestle.CacheMount.Tests.Directories;

public sealed class CloseOrderTests
{
    [Fact]
    public void Times_say_which_was_closed_first() => Order(("b", 1), ("a", 2), (".metadata", 0)).ShouldBe([".metadata", "b", "a"]);

    [Fact]
    public void Within_a_tick_what_says_that_a_checkpoint_is_finished_comes_last() =>
        Order((".metadata", 1), ("step-1/b", 1), ("step-1/DONE", 1), ("latest", 1), ("a", 1)).ShouldBe(["a", "step-1/b", ".metadata", "latest", "step-1/DONE"]);

    private static IEnumerable<string> Order(params (string Path, long Time)[] files) => CloseOrder.Of(files, file => file.Path, file => file.Time).Select(file => file.Path);
}
