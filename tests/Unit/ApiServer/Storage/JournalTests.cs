using System.Text;
using CsCheck;

namespace Trestle.Local.ApiServer.Tests;

public sealed class JournalTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("journal").FullName;

    private static readonly Gen<JournalRecord> Records =
        from version in Gen.Long[1, 1000]
        from key in Gen.String[Gen.Char['a', 'f'], 1, 3]
        from size in Gen.Int[0, 40]
        select new JournalRecord(version, "/pods", key, Encoding.UTF8.GetBytes(new string('x', size)));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_file_cut_at_any_byte_of_its_last_batch_holds_all_the_others()
    {
        Records.List[1, 4].List[1, 4].Sample(batches =>
        {
            var directory = NewDirectory();
            Write(directory, batches[..^1]);
            var file = Path.Combine(directory, "000001.journal");
            var kept = (int)new FileInfo(file).Length;
            Write(directory, batches[^1..]);
            var whole = File.ReadAllBytes(file);
            var earlier = batches[..^1].SelectMany(b => b).Select(Show).ToArray();
            for (var length = kept; length <= whole.Length; length++)
            {
                File.WriteAllBytes(file, whole[..length]);
                using var journal = Journal.Open(directory);
                journal.ReadAll().Select(Show).ShouldBe(length == whole.Length ? [.. earlier, .. batches[^1].Select(Show)] : earlier, $"cut at {length} of {whole.Length}");
                new FileInfo(file).Length.ShouldBe(length == whole.Length ? length : kept, "the torn end is cut off");
            }
        }, iter: 20);
    }

    [Fact]
    public void What_is_appended_after_a_torn_end_is_read_with_what_was_before_it()
    {
        Write(_directory, [[Record(1, "a")], [Record(2, "b")]]);
        using (var stream = File.OpenWrite(FilePath)) stream.SetLength(stream.Length - 3);
        using (var journal = Journal.Open(_directory))
        {
            journal.ReadAll().Count.ShouldBe(1);
            journal.Append([Record(3, "c")]);
        }

        using var again = Journal.Open(_directory);
        again.ReadAll().Select(r => r.Key).ShouldBe(["a", "c"]);
    }

    [Fact]
    public void Damage_before_intact_changes_refuses_to_start_with_a_sentence()
    {
        Write(_directory, [[Record(1, "a")], [Record(2, "b")]]);
        var bytes = File.ReadAllBytes(FilePath);
        bytes[20] ^= 1;
        File.WriteAllBytes(FilePath, bytes);
        using var journal = Journal.Open(_directory);
        Should.Throw<InvalidDataException>(() => journal.ReadAll()).Message.ShouldContain("is damaged at byte 0");
    }

    [Fact]
    public void A_compaction_keeps_the_live_objects_and_the_version()
    {
        Write(_directory, [[Record(1, "a"), Record(2, "b"), new JournalRecord(3, "/pods", "a", default)]]);
        using (var journal = Journal.Open(_directory))
        {
            journal.ReadAll();
            journal.Compact([Record(2, "b")], 3);
            journal.Append([Record(4, "c")]);
        }

        using var again = Journal.Open(_directory);
        var read = again.ReadAll();
        read.Where(r => r.Key.Length > 0).Select(r => r.Key).ShouldBe(["b", "c"]);
        read.Max(r => r.Version).ShouldBe(4);
        Directory.GetFiles(_directory, "*.journal").ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("000002.journal.tmp", "killed before the new file was renamed")]
    [InlineData("000002.journal", "killed before the old file was deleted")]
    public void A_compaction_that_was_killed_half_way_loses_nothing(string left, string when)
    {
        Write(_directory, [[Record(1, "a")], [Record(2, "b")]]);
        File.Copy(FilePath, Path.Combine(_directory, left));
        if (left.EndsWith(".tmp", StringComparison.Ordinal)) File.WriteAllBytes(Path.Combine(_directory, left), File.ReadAllBytes(FilePath)[..^5]);
        using (var journal = Journal.Open(_directory))
        {
            journal.ReadAll().Select(r => r.Key).ShouldBe(["a", "b"], when);
            journal.Append([Record(3, "c")]);
        }

        Directory.GetFiles(_directory, "*.journal*").ShouldHaveSingleItem();
        using var again = Journal.Open(_directory);
        again.ReadAll().Select(r => r.Key).ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public void A_compaction_that_finds_the_disk_full_leaves_the_old_file_in_use()
    {
        var disk = new FailingDisk();
        using (var journal = Journal.Open(_directory, disk.Open))
        {
            journal.ReadAll();
            journal.Append([Record(1, "a"), Record(2, "b")]);
            disk.IsFull = true;
            journal.Compact([Record(2, "b")], 2);
            disk.IsFull = false;
            journal.Append([Record(3, "c")]);
        }

        Directory.GetFiles(_directory, "*.journal*").ShouldBe([FilePath]);
        using var again = Journal.Open(_directory);
        again.ReadAll().Select(r => r.Key).ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public void The_journal_holds_secrets_and_is_readable_by_its_owner_only()
    {
        var directory = NewDirectory();
        Write(directory, [[Record(1, "a")]]);
        File.GetUnixFileMode(directory).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.GetUnixFileMode(Path.Combine(directory, "000001.journal")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void A_second_server_is_kept_out_of_the_directory()
    {
        using var journal = Journal.Open(_directory);
        Should.Throw<IOException>(() => Journal.Open(_directory)).Message.ShouldContain("in use by another server");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_write_that_fails_half_way_leaves_the_file_as_it_was(bool cannotTruncate)
    {
        var disk = new FailingDisk();
        using (var journal = Journal.Open(_directory, disk.Open))
        {
            journal.ReadAll();
            journal.Append([Record(1, "a")]);
            disk.IsFull = true;
            disk.CannotTruncate = cannotTruncate;
            Should.Throw<IOException>(() => journal.Append([Record(2, "b")]));
            Should.Throw<IOException>(() => journal.Append([Record(2, "b")]));
            disk.IsFull = disk.CannotTruncate = false;
            journal.Append([Record(3, "c")]);
        }

        using var again = Journal.Open(_directory);
        again.ReadAll().Select(r => r.Key).ShouldBe(["a", "c"]);
    }

    private string FilePath => Path.Combine(_directory, "000001.journal");

    private string NewDirectory() => Path.Combine(_directory, Guid.NewGuid().ToString("N"));

    private static JournalRecord Record(long version, string key) => new(version, "/pods", key, "{}"u8.ToArray());

    private static string Show(JournalRecord r) => $"{r.Version} {r.Resource} {r.Key} {Encoding.UTF8.GetString(r.Json.Span)}";

    private static void Write(string directory, IEnumerable<List<JournalRecord>> batches)
    {
        using var journal = Journal.Open(directory);
        journal.ReadAll();
        foreach (var batch in batches) journal.Append(batch);
    }
}

/// <summary>Journal files on a disk that can be full: half of what is written arrives, then an error.</summary>
internal sealed class FailingDisk
{
    public bool IsFull { get; set; }
    public bool CannotTruncate { get; set; }

    public IJournalFile Open(string path) => new FullFile(new JournalFile(path), this);

    private sealed class FullFile(JournalFile inner, FailingDisk disk) : IJournalFile
    {
        public byte[] ReadAll() => inner.ReadAll();

        public void Append(ReadOnlySpan<byte> bytes)
        {
            if (disk.IsFull)
            {
                inner.Append(bytes[..(bytes.Length / 2)]);
                throw new IOException("No space left on device");
            }

            inner.Append(bytes);
        }

        public void Flush() => inner.Flush();

        public void Truncate(long length)
        {
            if (disk.CannotTruncate) throw new IOException("Input/output error");
            inner.Truncate(length);
        }

        public void Dispose() => inner.Dispose();
    }
}
