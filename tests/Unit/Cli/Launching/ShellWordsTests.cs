using System.Diagnostics;
using Trestle.Cli.Launching;

namespace Trestle.Cli.Tests.Launching;

public sealed class ShellWordsTests
{
    [Fact]
    public void One_word_is_a_script_as_it_stands() => ShellWords.ToScript(["echo a && echo b"]).ShouldBe("echo a && echo b");

    [Fact]
    public void Several_words_reach_the_program_unchanged()
    {
        string[] words = ["printf", "%s|", "plain", "two words", "it's", "$HOME", "a;b", "", "*", "\"q\"", "new\nline"];
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", ShellWords.ToScript(words)]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        shell.StandardOutput.ReadToEnd().ShouldBe(string.Join('|', words[2..]) + "|");
        shell.WaitForExit();
    }
}
