using System.Globalization;
using System.Text;
using Trestle.Bridge.Login;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Logs;

/// <summary>A piece of a log file.</summary>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Bytes">What is there; nothing at the end of the file.</param>
internal sealed record LogPiece(long Offset, ReadOnlyMemory<byte> Bytes);

/// <summary>One log file on a cluster, read in pieces by byte offset.</summary>
/// <param name="path">The file as a word of a script.</param>
internal sealed class LogFile(string path)
{
    /// <summary>Bytes of a piece, at most.</summary>
    public const int MostBytes = 256 * 1024;

    /// <summary>Lines that tail may ask for, at most.</summary>
    public const int MostLines = 100_000;

    /// <summary>The file of a rank, or of the batch script itself when <paramref name="rank"/> is null.</summary>
    public static LogFile Of(string root, string key, int? rank) =>
        new($"{root}/{ShellText.Quote(key)}/{(rank is { } number ? string.Create(CultureInfo.InvariantCulture, $"rank-{number}.log") : "job.log")}");

    /// <summary>The piece at an offset; null when there is no such file.</summary>
    public Task<LogPiece?> ReadAsync(ILoginNode node, long offset, CancellationToken ct) => AskAsync(node, $"at={offset}", ct);

    /// <summary>The piece that begins with the last lines; null when there is no such file.</summary>
    public Task<LogPiece?> TailAsync(ILoginNode node, int lines, CancellationToken ct) =>
        AskAsync(node, $"at=$(($(wc -c < \"$file\") - $(tail -n {Math.Min(lines, MostLines)} \"$file\" | wc -c)))", ct);

    // A file that grows between the two counts of a tail makes the offset a little too small or negative: then from the beginning.
    private async Task<LogPiece?> AskAsync(ILoginNode node, string start, CancellationToken ct)
    {
        var mark = Separator.New();
        var script =
            $$"""
            file={{path}}
            [ -f "$file" ] || { echo '{{mark.Text}} none'; exit 0; }
            {{start}}
            [ "$at" -ge 0 ] || at=0
            echo "{{mark.Text}} $at"
            tail -c "+$((at + 1))" "$file" | head -c {{MostBytes}}

            """;
        var output = (await node.RunAsync(script, ct)).Output;
        var end = output.Span.IndexOf((byte)'\n');
        var head = end < 0 ? "" : Encoding.UTF8.GetString(output.Span[..end]);
        if (!head.StartsWith(mark.Text + " ", StringComparison.Ordinal)) throw new ContactLostException("the login node's answer is not whole");
        return long.TryParse(head[(mark.Text.Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? new LogPiece(at, output[(end + 1)..]) : null;
    }
}
