using System.Globalization;
using System.Text;

namespace Trestle.Local.Nodes.Logs;

/// <summary>Reads logs in CRI format.</summary>
public static class CriLog
{
    /// <summary>
    /// Cuts a torn last line and counts the raw bytes the log holds of each stream. A last line without newline counts one
    /// byte too many; it is only written when the stream has ended, so nobody reads on from there.
    /// </summary>
    public static (long Stdout, long Stderr) Recover(string logFile)
    {
        var (stdout, stderr) = ReadBase(logFile);
        if (!File.Exists(logFile)) return (stdout, stderr);
        using var file = new FileStream(logFile, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var line = new List<byte>(512);
        var buffer = new byte[64 * 1024];
        long whole = 0;
        for (int read; (read = file.Read(buffer)) > 0;)
        {
            var at = 0;
            for (int end; (end = buffer.AsSpan(at, read - at).IndexOf((byte)'\n')) >= 0; at += end + 1)
            {
                line.AddRange(buffer.AsSpan(at, end));
                whole += line.Count + 1;
                if (TryParse(line, out var isError, out var full, out var length)) _ = isError ? stderr += length + (full ? 1 : 0) : stdout += length + (full ? 1 : 0);
                line.Clear();
            }

            line.AddRange(buffer.AsSpan(at, read - at));
        }

        if (whole < file.Length) file.SetLength(whole);
        return (stdout, stderr);
    }

    /// <summary>The last lines of text of a log, at most <paramref name="maxLines"/> and <paramref name="maxBytes"/>: what a failed container leaves as its message.</summary>
    public static string Tail(string logFile, int maxLines = 80, int maxBytes = 2048)
    {
        if (!File.Exists(logFile)) return "";
        using var file = new FileStream(logFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var window = Math.Min(file.Length, (maxBytes * 2) + (maxLines * 64));
        file.Seek(-window, SeekOrigin.End);
        var bytes = new byte[window];
        var text = Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).AsEnumerable();
        if (window < file.Length) lines = lines.Skip(1);
        var kept = string.Join('\n', lines.Select(Text).TakeLast(maxLines));
        var encoded = Encoding.UTF8.GetBytes(kept);
        return encoded.Length <= maxBytes ? kept : Encoding.UTF8.GetString(encoded.AsSpan(encoded.Length - maxBytes)).TrimStart('\uFFFD');
    }

    /// <summary>Records how many raw bytes of each stream are no longer in the log since it was begun anew.</summary>
    internal static void WriteBase(string logFile, long stdout, long stderr) => File.WriteAllText(logFile + ".base", string.Create(CultureInfo.InvariantCulture, $"{stdout} {stderr}"));

    private static (long Stdout, long Stderr) ReadBase(string logFile)
    {
        if (!File.Exists(logFile + ".base")) return (0, 0);
        var parts = File.ReadAllText(logFile + ".base").Split(' ');
        return (long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static string Text(string line)
    {
        var parts = line.Split(' ', 4);
        return parts.Length == 4 ? parts[3] : "";
    }

    private static bool TryParse(List<byte> line, out bool isError, out bool full, out int length)
    {
        (isError, full, length) = (false, false, 0);
        var stamp = line.IndexOf((byte)' ');
        if (stamp < 0 || line.Count < stamp + 10) return false;
        isError = line[stamp + 4] == (byte)'e'; // stdout or stderr
        full = line[stamp + 8] == (byte)'F';
        length = line.Count - (stamp + 10);
        return true;
    }
}
