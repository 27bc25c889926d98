using Trestle.Cli.Launching;

namespace Trestle.Cli.Tests.Launching;

public sealed class WorkdirPackerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("trestle-workdir-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Text_files_are_packed_and_ignored_ones_left_out()
    {
        Write("train.py", "print(1)\n");
        Write("notes.log", "x");
        Write("keep.log", "kept");
        Write(".gitignore", "*.log\n!keep.log\nruns/\n");
        Write("runs/out.txt", "big");
        var files = WorkdirPacker.Pack(_directory);
        files.Keys.ShouldBe(["keep.log", "train.py"]);
        files["train.py"].ShouldBe("print(1)\n");
    }

    [Fact]
    public void Skyignore_stands_in_for_gitignore()
    {
        Write("a.txt", "a");
        Write("b.txt", "b");
        Write(".gitignore", "a.txt\n");
        Write(".skyignore", "b.txt\n");
        WorkdirPacker.Pack(_directory).Keys.ShouldBe(["a.txt"]);
    }

    [Fact]
    public void A_link_out_of_the_directory_is_not_followed()
    {
        Write("a.txt", "a");
        File.CreateSymbolicLink(Path.Combine(_directory, "link.txt"), "/etc/hostname");
        WorkdirPacker.Pack(_directory).Keys.ShouldBe(["a.txt"]);
    }

    [Fact]
    public void More_than_a_config_map_holds_is_refused_with_what_to_do()
    {
        Write("big.txt", new string('x', WorkdirPacker.MaxBytes + 1));
        Refusal().ShouldBe($"workdir {_directory} holds more than 1000 KB; name what is not needed in .skyignore, or put it in a git repository and set workdir to its URL");
    }

    [Fact]
    public void Files_in_directories_are_refused()
    {
        Write("pkg/mod.py", "x");
        Refusal().ShouldStartWith($"workdir {_directory} has files in directories (pkg/mod.py), which a ConfigMap can't hold; ");
    }

    [Fact]
    public void A_binary_file_is_refused_by_name()
    {
        File.WriteAllBytes(Path.Combine(_directory, "model.bin"), [0xff, 0xfe, 0]);
        Refusal().ShouldStartWith($"model.bin in workdir {_directory} is not text; ");
    }

    [Fact]
    public void A_missing_or_empty_directory_is_refused()
    {
        Refusal().ShouldBe($"workdir {_directory} holds no files; correct workdir or leave it out");
        Should.Throw<CliException>(() => WorkdirPacker.Pack(_directory + "-not")).Message.ShouldContain("is not a directory");
    }

    [Theory]
    [InlineData("build", "a/build", true, true)]
    [InlineData("/build", "a/build", true, false)]
    [InlineData("build/", "build", false, false)]
    [InlineData("*.py[cod]", "a/x.pyc", false, true)]
    [InlineData("*.py[cod]", "a/x.py", false, false)]
    [InlineData("doc/**/x.txt", "doc/a/b/x.txt", false, true)]
    [InlineData("doc/**", "doc/a", false, true)]
    [InlineData("?.txt", "a.txt", false, true)]
    [InlineData("# comment", "# comment", false, false)]
    public void Patterns_mean_what_git_means(string pattern, string path, bool isDirectory, bool ignored) =>
        IgnoreRules.Parse([pattern]).Ignores(path, isDirectory).ShouldBe(ignored);

    private string Refusal() => Should.Throw<CliException>(() => WorkdirPacker.Pack(_directory)).Message;

    private void Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
