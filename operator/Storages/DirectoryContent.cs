using System.IO.Enumeration;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Storages;

/// <summary>What a look into a directory found.</summary>
/// <param name="Bytes">Bytes of all files.</param>
/// <param name="Objects">Files.</param>
/// <param name="Checkpoints">Top-level entries, the newest first, 20 at most.</param>
/// <param name="Complete">False: there are more files than were looked at.</param>
public sealed record DirectoryContent(long Bytes, long Objects, IReadOnlyList<StoredCheckpoint> Checkpoints, bool Complete)
{
    /// <summary>Checkpoints that a status shows.</summary>
    public const int MaxCheckpoints = 20;

    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
    private static readonly EnumerationOptions Top = new() { AttributesToSkip = FileAttributes.ReparsePoint };

    /// <summary>Why it can't be used; null when it can.</summary>
    public string? Error { get; private init; }

    /// <summary>Looks into a directory, made when it is not there. What comes and goes meanwhile is counted or not.</summary>
    /// <param name="path">Absolute path.</param>
    /// <param name="maxFiles">Files to look at; time is bounded by it.</param>
    public static DirectoryContent Read(string path, int maxFiles)
    {
        try
        {
            Make(path);
            var left = maxFiles;
            var entries = Entries(path, Top).Select(entry => entry.IsDirectory ? Sum(path, entry, ref left) : Count(entry, ref left)).ToList();
            var checkpoints = entries.Where(entry => IsCheckpoint(entry.Name))
                .OrderByDescending(entry => entry.Written).ThenByDescending(entry => entry.Name, StringComparer.Ordinal)
                .Take(MaxCheckpoints).Select(entry => entry.AsCheckpoint(path)).ToList();
            return new DirectoryContent(entries.Sum(entry => entry.Bytes), entries.Sum(entry => entry.Files), checkpoints, left >= 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new DirectoryContent(0, 0, [], true) { Error = error.Message };
        }
    }

    // A new directory is open to whom the one above it is: where several users share a root, so they do what is below.
    private static void Make(string path)
    {
        if (Directory.Exists(path)) return;
        var above = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path));
        if (above is null) return;
        Make(above);
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, File.GetUnixFileMode(above) & ~(UnixFileMode.SetUser | UnixFileMode.SetGroup));
    }

    // Writers make .tmp files and rename them; a dot hides what is not meant to be seen.
    private static bool IsCheckpoint(string name) => !name.EndsWith(".tmp", StringComparison.Ordinal) && !name.StartsWith('.');

    private static Entry Count(Entry file, ref int left) => --left >= 0 ? file : file with { Bytes = 0, Files = 0 };

    private static Entry Sum(string path, Entry directory, ref int left)
    {
        foreach (var entry in Entries(Path.Combine(path, directory.Name), Below))
        {
            if (entry.IsDirectory) continue;
            if (--left < 0) break;
            directory = directory with { Bytes = directory.Bytes + entry.Bytes, Files = directory.Files + 1, Written = entry.Written > directory.Written ? entry.Written : directory.Written };
        }

        return directory;
    }

    private static FileSystemEnumerable<Entry> Entries(string path, EnumerationOptions options) =>
        new(path, (ref FileSystemEntry entry) => entry.IsDirectory
            ? new Entry(entry.FileName.ToString(), true, 0, 0, entry.LastWriteTimeUtc.UtcDateTime)
            : new Entry(entry.FileName.ToString(), false, entry.Length, 1, entry.LastWriteTimeUtc.UtcDateTime), options);

    private sealed record Entry(string Name, bool IsDirectory, long Bytes, long Files, DateTime Written)
    {
        public StoredCheckpoint AsCheckpoint(string path) => new()
        {
            Name = Name,
            Bytes = Bytes,
            DurableAt = new DateTime(Written.Ticks - (Written.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc),
            Uri = new Uri(Path.Combine(path, Name)).AbsoluteUri,
        };
    }
}
