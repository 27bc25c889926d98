using Trestle.CacheMount.Checkpoints;

namespace Trestle.CacheMount.Tests.Checkpoints;

public sealed class CheckpointRulesTests
{
    private static readonly CheckpointRules Rules = new(["step-*", "iter_*", "global_step*", "runs/*/ckpt-*"]);

    [Theory]
    [InlineData("step-100", "step-100")]
    [InlineData("step-100/shard-0", "step-100")]
    [InlineData("step-100/a/b", "step-100")]
    [InlineData("runs/a/ckpt-1/x", "runs/a/ckpt-1")]
    [InlineData("runs/ckpt-1/x", null)]
    [InlineData("logs/step-100", null)]
    [InlineData("latest", null)]
    public void A_path_lies_in_the_checkpoint_whose_pattern_it_matches(string path, string? checkpoint) => Rules.Of(path).ShouldBe(checkpoint);

    [Theory]
    [InlineData("step-100", null, "step-100")]
    [InlineData("step-100/shard-0", null, null)]
    [InlineData("step-100/.metadata", null, "step-100")]
    [InlineData("step-100/_SUCCESS", null, "step-100")]
    [InlineData("other/_SUCCESS", null, null)]
    [InlineData("latest_checkpointed_iteration.txt", "1200\n", "iter_0001200")]
    [InlineData("latest", "global_step1200", "global_step1200")]
    [InlineData("latest", "../../etc/passwd", null)]
    [InlineData("latest", "", null)]
    public void Files_closed_last_finish_a_checkpoint(string path, string? pointer, string? finished) => Rules.FinishedBy(path, pointer).ShouldBe(finished);
}
