using Trestle.Bench;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Documents;

/// <summary>The document of figures is generated; nobody has edited it.</summary>
public sealed class FiguresTests
{
    private static readonly Machine Somewhere = new("a processor", 2, 4, "a system", "6.1", 0.5, new Dictionary<string, string> { ["a tool"] = "1.0" });

    [Fact]
    public void The_document_shows_the_stored_results()
    {
        var results = Directory.EnumerateFiles(RepositoryFiles.Path("bench", "results"), "*.json").Select(BenchResult.Read);
        RepositoryFiles.Read("bench", "README.md").ShouldBe(Figures.Document(results));
    }

    [Fact]
    public void A_result_comes_back_from_its_file_and_a_missed_goal_stays_in_the_table()
    {
        using var directory = new TemporaryDirectory();
        var missed = new BenchRow("speed", 1.5, "s") { Against = "a peer", Theirs = 1, Goal = 1, Met = false };
        new BenchResult("some", "abc", Somewhere, [missed, new BenchRow("size", 2000, "MiB")]).Write(directory.FullName);
        var read = BenchResult.Read(directory["some.json"]);
        read.Rows[0].ShouldBe(missed);
        Figures.Document([read]).ShouldContain("| speed | 1.5 | s | a peer | 1.0 | 1.5 | 1.0 | no |\n| size | 2,000 | MiB |  |  |  |  |  |\n");
    }

    [Fact]
    public void A_quantile_is_one_of_the_values()
    {
        Spread.Median([3, 1, 2]).ShouldBe(2);
        Spread.Quantile(Enumerable.Range(1, 100).Select(i => (double)i), 0.99).ShouldBe(99);
        Should.Throw<ArgumentException>(() => Spread.Median([]));
    }
}
