using System.Text;
using CsCheck;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Tests.Login;

public sealed class FramedAnswerTests
{
    private readonly ScriptFrame _frame = ScriptFrame.Around("true");

    [Fact]
    public void Any_bytes_in_any_pieces_come_out_as_they_went_in() =>
        Gen.Select(Gen.Byte.Array[0, 300], Gen.Byte.Array[0, 100], Gen.Int[0, 255], Gen.Int[1, 40]).Sample((content, noise, code, piece) =>
        {
            var answer = new FramedAnswer(_frame);
            foreach (var chunk in Framed(noise, content, code).Chunk(piece)) answer.Append(chunk);
            answer.ExitCode.ShouldBe(code);
            answer.Content.ToArray().ShouldBe(content);
            answer.Noise.ToArray().ShouldBe(noise);
        });

    [Fact]
    public void An_answer_that_lacks_its_end_is_never_complete()
    {
        var whole = Framed("Welcome!\n"u8.ToArray(), "gpu1|idle\n"u8.ToArray(), 0);
        for (var length = 0; length < whole.Length; length++)
        {
            var answer = new FramedAnswer(_frame);
            answer.Append(whole.AsSpan(0, length));
            answer.IsComplete.ShouldBeFalse();
            Should.Throw<InvalidOperationException>(() => answer.Content);
        }
    }

    [Fact]
    public void The_marks_of_another_script_are_only_text()
    {
        var other = ScriptFrame.Around("true");
        var answer = new FramedAnswer(_frame);
        answer.Append(Framed([], [.. other.Opening.Span, .. other.Closing.Span, .. "0."u8], 7));
        answer.ExitCode.ShouldBe(7);
        answer.Content.Length.ShouldBe(other.Opening.Length + other.Closing.Length + 2);
    }

    [Fact]
    public void What_a_shell_says_instead_is_cleaned_for_people()
    {
        ShellWords.Of("\nLast login: today\n\u001b[31mThis account is currently not available.\u001b[0m\r\n"u8).ShouldBe("[31mThis account is currently not available.[0m");
        ShellWords.Of(" \n"u8).ShouldBeNull();
        ShellWords.Of(Encoding.UTF8.GetBytes(new string('x', 9000))).ShouldBe(new string('x', 200));
    }

    private byte[] Framed(byte[] noise, byte[] content, int code) =>
        [.. noise, .. _frame.Opening.Span, .. content, .. _frame.Closing.Span, .. Encoding.ASCII.GetBytes($"{code}.")];
}
