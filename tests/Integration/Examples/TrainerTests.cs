using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Examples;

/// <summary>The example's trainer as real processes, without Trestle: what a job may count on from it.</summary>
public sealed class TrainerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static readonly string Trainer = RepositoryFiles.Path("examples", "train-eval", "train.py");

    [Fact]
    public async Task Four_ranks_train_the_same_bytes_as_one()
    {
        using var alone = new TemporaryDirectory();
        using var together = new TemporaryDirectory();
        (await Rank(alone, 0, 1, 40)).ShouldExit(0);
        var ended = await Task.WhenAll(Ranks(together, 40));
        ended.ShouldAllBe(rank => rank.ExitCode == 0);
        (await File.ReadAllBytesAsync(together["final.json"], Ct)).ShouldBe(await File.ReadAllBytesAsync(alone["final.json"], Ct));
    }

    [Fact]
    public async Task A_lost_peer_ends_all_ranks_at_once_and_a_restart_ends_with_the_same_bytes()
    {
        using var alone = new TemporaryDirectory();
        using var disturbed = new TemporaryDirectory();
        (await Rank(alone, 0, 1, 60)).ShouldExit(0);

        var port = FreePort();
        var ranks = Enumerable.Range(0, 4).Select(rank => Start(disturbed, rank, 4, 60, port, "--step_time", "0.05")).ToList();
        await Condition.UntilAsync("there is a checkpoint", () => File.Exists(disturbed["step-000020.json"]));
        ranks[2].Signal("KILL");
        var ended = await Task.WhenAll(ranks.Select(rank => rank.EndAsync(TimeSpan.FromSeconds(10))));
        ended.Select(rank => rank.ExitCode).ShouldBe([75, 75, 137, 75]);
        ended[0].Error.ShouldContain("lost rank 2");
        File.Exists(disturbed["final.json"]).ShouldBeFalse();

        (await Task.WhenAll(Ranks(disturbed, 60))).ShouldAllBe(rank => rank.ExitCode == 0);
        (await File.ReadAllBytesAsync(disturbed["final.json"], Ct)).ShouldBe(await File.ReadAllBytesAsync(alone["final.json"], Ct));
    }

    [Fact]
    public async Task TERM_saves_the_step_it_is_in()
    {
        using var directory = new TemporaryDirectory();
        await using var rank = Start(directory, 0, 1, 1000, 0, "--step_time", "0.02", "--ckpt_every", "900");
        await Condition.UntilAsync("it trains", () => rank.Out.Contains("step 10/", StringComparison.Ordinal));
        rank.Signal("TERM");
        (await rank.EndAsync()).ShouldExit(143);
        Directory.EnumerateFiles(directory.FullName).Select(Path.GetFileName).ShouldHaveSingleItem().ShouldStartWith("step-");
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_passed_over()
    {
        using var directory = new TemporaryDirectory();
        (await Rank(directory, 0, 1, 40)).ShouldExit(0);
        var expected = await File.ReadAllTextAsync(directory["final.json"], Ct);
        var newest = directory["step-000040.json"];
        await File.WriteAllTextAsync(newest, (await File.ReadAllTextAsync(newest, Ct))[..^200], Ct);
        var again = (await Rank(directory, 0, 1, 40)).ShouldExit(0);
        again.Out.ShouldContain("passing over");
        again.Out.ShouldContain("resuming from step 20");
        (await File.ReadAllTextAsync(directory["final.json"], Ct)).ShouldBe(expected);
    }

    [Fact]
    public async Task The_evaluation_scores_a_checkpoint_and_refuses_a_damaged_one()
    {
        using var directory = new TemporaryDirectory();
        (await Rank(directory, 0, 1, 40)).ShouldExit(0);
        var evaluation = RepositoryFiles.Path("examples", "train-eval", "eval.py");
        (await Command.RunAsync("python3", ["-B", evaluation, "--ckpt", directory["step-000040.json"], "--out", directory["evals"]])).ShouldExit(0);
        var score = JsonNode.Parse(await File.ReadAllTextAsync(directory["evals/000040.json"], Ct))!;
        ((double)score["score"]!).ShouldBeGreaterThan(0.5);

        await File.WriteAllTextAsync(directory["step-000040.json"], "{", Ct);
        var refused = await Command.RunAsync("python3", ["-B", evaluation, "--ckpt", directory["step-000040.json"], "--out", directory["evals"]]);
        refused.ShouldExit(1).Error.ShouldContain("is not a checkpoint");
    }

    private static IEnumerable<Task<CommandResult>> Ranks(TemporaryDirectory directory, int steps)
    {
        var port = FreePort();
        return Enumerable.Range(0, 4).Select(rank => Start(directory, rank, 4, steps, port).EndAsync()).ToList();
    }

    private static Task<CommandResult> Rank(TemporaryDirectory directory, int rank, int world, int steps) => Start(directory, rank, world, steps, 0).EndAsync();

    private static Command Start(TemporaryDirectory directory, int rank, int world, int steps, int port, params string[] more) =>
        Command.Start("python3", ["-B", Trainer, "--ckpt_dir", directory.FullName, "--steps", steps.ToString(CultureInfo.InvariantCulture), .. more],
            new Dictionary<string, string?>
            {
                ["TRESTLE_NODE_RANK"] = rank.ToString(CultureInfo.InvariantCulture),
                ["TRESTLE_NUM_NODES"] = world.ToString(CultureInfo.InvariantCulture),
                ["TRESTLE_NODE_IPS"] = string.Join('\n', Enumerable.Range(1, world).Select(number => $"127.77.0.{number.ToString(CultureInfo.InvariantCulture)}")),
                ["TRESTLE_HEAD_ADDR"] = "127.77.0.1",
                ["TRESTLE_HEAD_PORT"] = port.ToString(CultureInfo.InvariantCulture),
            });

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Parse("127.77.0.1"), 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
