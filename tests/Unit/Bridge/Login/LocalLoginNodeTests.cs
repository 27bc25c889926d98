using System.Diagnostics;
using System.Text;
using CsCheck;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Tests.Login;

/// <summary>With the real sh of this machine.</summary>
public sealed class LocalLoginNodeTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("trestle-login-").FullName;
    private readonly LocalLoginNode _node = new(new SshOptions(), TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("echo out; echo err >&2; exit 3", 3, "out\n", "err\n")]
    [InlineData("printf %s no-line-break", 0, "no-line-break", "")]
    [InlineData("cat; echo after", 0, "after\n", "")]
    [InlineData("set -e; false; echo never", 1, "", "")]
    [InlineData("cat <<'END'\nit's $HOME\nEND\n", 0, "it's $HOME\n", "")]
    [InlineData("exec true", 0, "", "")]
    [InlineData("kill -9 $(sh -c 'echo $PPID')", 137, "", null)]
    [InlineData("", 0, "", "")]
    public async Task A_script_gives_its_output_and_its_exit_code(string script, int code, string output, string? error)
    {
        var answer = await _node.RunAsync(script, Ct);
        answer.ExitCode.ShouldBe(code);
        Text(answer.Output).ShouldBe(output);
        if (error is not null) Text(answer.Error).ShouldBe(error);
    }

    [Theory]
    [InlineData("echo 'unterminated")]
    [InlineData("echo )")]
    [InlineData("if true; then")]
    public async Task A_script_that_is_no_shell_is_an_answer_and_not_lost_contact(string script) =>
        (await _node.RunAsync(script, Ct)).ExitCode.ShouldNotBe(0);

    [Fact]
    public async Task Any_text_survives_the_quoting() =>
        await Gen.Char.Where(c => c is not ('\0' or '\r') && !char.IsSurrogate(c)).Array[0, 200].SampleAsync(async characters =>
        {
            var text = new string(characters);
            var answer = await _node.RunAsync($"printf %s '{text.Replace("'", "'\\''")}'", Ct);
            Text(answer.Output).ShouldBe(text);
        }, iter: 20);

    [Fact]
    public async Task Binary_output_comes_back_byte_by_byte()
    {
        var bytes = new byte[200_000];
        new Random(1).NextBytes(bytes);
        await File.WriteAllBytesAsync(Path.Combine(_directory, "bytes"), bytes, Ct);
        var answer = await _node.RunAsync($"cat {_directory}/bytes; cat {_directory}/bytes >&2", Ct);
        answer.Output.ToArray().ShouldBe(bytes);
        answer.Error.ToArray().ShouldBe(bytes);
    }

    [Fact]
    public async Task A_process_that_is_left_behind_does_not_hold_up_the_answer()
    {
        var answer = await _node.RunAsync($"(until [ -e {_directory}/go ] || ! [ -d {_directory} ]; do sleep 0.05; done) & echo $!", Ct);
        int.Parse(Text(answer.Output)).ShouldBeGreaterThan(1);
        await File.WriteAllTextAsync(Path.Combine(_directory, "go"), "", Ct);
    }

    [Fact]
    public async Task A_script_that_takes_too_long_is_lost_contact()
    {
        var hasty = new LocalLoginNode(new SshOptions { CommandTimeout = TimeSpan.FromMilliseconds(200) }, TimeProvider.System);
        var lost = await Should.ThrowAsync<ContactLostException>(() => hasty.RunAsync("sleep 5", Ct));
        lost.Message.ShouldContain("no complete answer");
    }

    [Fact]
    public async Task An_endless_answer_is_lost_contact()
    {
        var small = new LocalLoginNode(new SshOptions { LongestAnswer = 1 << 20, CommandTimeout = Timeout.InfiniteTimeSpan }, TimeProvider.System);
        (await Should.ThrowAsync<ContactLostException>(() => small.RunAsync("yes", Ct))).Message.ShouldContain("more than 1 MiB");
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public async Task Of_a_script_that_arrived_in_part_nothing_runs(string shell)
    {
        var input = ScriptFrame.Around($"touch {_directory}/ran\necho 'one'\n").Input;
        for (var length = 0; length < input.Length - 2; length += 23)
        {
            using var process = Process.Start(new ProcessStartInfo(shell) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            await using (var stdin = process.StandardInput.BaseStream) await stdin.WriteAsync(input[..length], Ct);
            await process.WaitForExitAsync(Ct);
        }

        File.Exists(Path.Combine(_directory, "ran")).ShouldBeFalse();
    }

    [Fact]
    public async Task The_bridge_is_nobody_but_itself()
    {
        var nodes = new LocalLoginNodes(new SshOptions(), TimeProvider.System);
        var me = new ClusterLogin("c", "h", 22, [], Environment.UserName, "", "");
        Text((await nodes.Of(me).RunAsync("echo yes", Ct)).Output).ShouldBe("yes\n");
        var lost = await Should.ThrowAsync<ContactLostException>(() => nodes.Of(me with { User = "someone-else" }).RunAsync("echo yes", Ct));
        lost.Message.ShouldContain("can't be someone-else");
    }

    [Fact]
    public async Task A_script_that_a_shell_would_not_get_as_it_is_is_refused()
    {
        await Should.ThrowAsync<ArgumentException>(() => _node.RunAsync("echo \0", Ct));
        await Should.ThrowAsync<ArgumentException>(() => _node.RunAsync("echo \ud800", Ct));
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
