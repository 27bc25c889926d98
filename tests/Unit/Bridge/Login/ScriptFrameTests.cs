using System.Diagnostics;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Tests.Login;

public sealed class ScriptFrameTests
{
    // sshd closes the channel when the shell ends, and hangs up on the whole connection when the end of input comes after that.
    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public async Task A_shell_that_has_answered_stays_until_it_hears_that_nothing_follows(string program)
    {
        var frame = ScriptFrame.Around("echo it; exit 4");
        using var shell = Process.Start(new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await shell.StandardInput.BaseStream.WriteAsync(frame.Input, TestContext.Current.CancellationToken);
        await shell.StandardInput.BaseStream.FlushAsync(TestContext.Current.CancellationToken);
        var answer = new FramedAnswer(frame);
        var buffer = new byte[1024];
        while (!answer.IsComplete) answer.Append(buffer.AsSpan(0, await shell.StandardOutput.BaseStream.ReadAsync(buffer, TestContext.Current.CancellationToken)));
        answer.ExitCode.ShouldBe(4);

        shell.WaitForExit(TimeSpan.FromMilliseconds(100)).ShouldBeFalse("it still listens");
        shell.StandardInput.Close();
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        shell.ExitCode.ShouldBe(0);
    }
}
