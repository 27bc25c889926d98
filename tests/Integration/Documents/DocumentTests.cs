using System.Text.RegularExpressions;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Documents;

/// <summary>What the documents name is there.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] Documents =
    [
        RepositoryFiles.Path("README.md"),
        .. Directory.EnumerateFiles(RepositoryFiles.Path("docs"), "*.md", SearchOption.AllDirectories),
        .. Directory.EnumerateFiles(RepositoryFiles.Path("bench"), "*.md"),
    ];

    [Fact]
    public void Every_link_leads_to_a_file_or_folder() => AllHold(Link(), (document, link) => IsOutside(link.Groups["to"].Value) || Exists(Target(document, link)));

    [Fact]
    public void Every_path_that_a_command_or_a_table_names_exists() =>
        AllHold(Mentioned(), (_, mention) => Exists(RepositoryFiles.Path(mention.Groups["path"].Value.TrimEnd('.'))));

    [Fact]
    public void Every_test_that_a_promise_names_exists() =>
        AllHold(Link(), (document, link) => !link.Groups["to"].Value.EndsWith("Tests.cs", StringComparison.Ordinal)
            || !link.Groups["text"].Value.Contains('_', StringComparison.Ordinal)
            || (Exists(Target(document, link)) && Regex.IsMatch(File.ReadAllText(Target(document, link)), $@"\b{link.Groups["text"].Value}\(", RegexOptions.None, TimeSpan.FromSeconds(1))));

    [Fact]
    public async Task The_reference_has_every_command_and_no_other()
    {
        var help = (await TrestleProgram.RunAsync(["--help"])).ShouldExit(0).Out;
        var commands = Command().Matches(help[help.IndexOf("Commands:", StringComparison.Ordinal)..]).Select(found => found.Groups["name"].Value);
        var reference = RepositoryFiles.Read("docs", "reference", "cli.md");
        var table = reference[..reference.IndexOf("## Launching", StringComparison.Ordinal)];
        var rows = table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).SelectMany(line => Documented().Matches(line.Split(" | ")[0]).Select(found => found.Groups["name"].Value));
        rows.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ShouldBe(commands.Order(StringComparer.Ordinal));
    }

    private static void AllHold(Regex what, Func<string, Match, bool> isRight) => Documents
        .SelectMany(document => what.Matches(File.ReadAllText(document)).Where(found => !isRight(document, found)).Select(found => $"{Path.GetFileName(document)}: {found.Value}"))
        .ShouldBeEmpty();

    private static bool IsOutside(string target) => target.Contains("://", StringComparison.Ordinal) || target.StartsWith('#');

    private static string Target(string document, Match link) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(document)!, link.Groups["to"].Value.Split('#')[0]));

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    [GeneratedRegex(@"\[(?<text>[^\]]+)\]\((?<to>[^)\s]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();

    // examples/…, ./quickstart.sh and the like, also in code blocks; not what stands under another folder or in a pattern.
    [GeneratedRegex(@"(?<![\w./~-])(\./)?(?<path>(api|bench|charts|cli|config|crds|docs|examples|local|node|operator|runtime|tests)/[\w./-]*|(?<=\./)\w+(\.sh)?(?=[\s`]))(?![\w*{])", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Mentioned();

    [GeneratedRegex(@"^  (?<name>[a-z]+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Command();

    [GeneratedRegex(@"`(?<name>[a-z]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Documented();
}
