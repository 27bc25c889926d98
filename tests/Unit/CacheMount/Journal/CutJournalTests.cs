using System.IO.Hashing;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Tests.Journal;

/// <summary>A process may be killed after any record of its journal: the next one starts with a journal that ends there, beside the same disk and store.</summary>
public sealed class CutJournalTests
{
    private static readonly FrontSettings Slow = new() { LookAgain = TimeSpan.FromHours(1), RescanEvery = TimeSpan.FromHours(1), HoldTemporary = TimeSpan.FromHours(1) };

    [Fact]
    public async Task Wherever_the_journal_ends_the_store_gets_everything_and_what_is_listed_is_true()
    {
        await using var mount = new AMount(Slow);
        mount.Write("step-1/a", "a file of a few parts, and some more");
        mount.Write("step-1/b", "1");
        mount.Write("step-1/.metadata", "1");
        mount.Write("gone", "was here");
        await mount.FlushAsync();
        File.Delete(mount["gone"]);
        mount.Write("step-1/a", "written anew, also in a few parts");
        mount.Write("step-1/.metadata", "2");
        mount.Write("step-2", "another checkpoint, which is a file");
        await mount.FlushAsync();
        await mount.StopAsync();
        var whole = await File.ReadAllBytesAsync(mount.Journal, TestContext.Current.CancellationToken);
        var ends = Ends(whole);
        ends.Count.ShouldBeGreaterThan(20);
        foreach (var end in ends)
        {
            await File.WriteAllBytesAsync(mount.Journal, whole[..end], TestContext.Current.CancellationToken);
            mount.Start();
            Hold(mount); // before anything was sent anew
            await mount.FlushAsync();
            Hold(mount);
            foreach (var path in new[] { "step-1/a", "step-1/b", "step-1/.metadata", "step-2" }) mount.Store.Content(path).ShouldBe(await File.ReadAllBytesAsync(mount[path], TestContext.Current.CancellationToken));
            await mount.StopAsync();
        }

        mount.Start();
    }

    [Fact]
    public async Task Wherever_the_process_ends_in_the_middle_of_what_it_sends_nothing_is_lost()
    {
        // The store does so many calls and no more; then the process is ended and the next one goes on.
        for (var calls = 1; calls <= 24; calls++)
        {
            await using var mount = new AMount(Slow);
            var left = calls;
            var never = new TaskCompletionSource();
            var isOver = new TaskCompletionSource();
            mount.Store.Before = (_, _) =>
            {
                if (Interlocked.Decrement(ref left) >= 0) return Task.CompletedTask;
                isOver.TrySetResult();
                return never.Task;
            };
            mount.Write("step-1/a", "a file of a few parts, and some more");
            mount.Write("step-1/b", "1");
            mount.Write("step-1/.metadata", "1");
            var flush = mount.Mount.FlushAsync(CancellationToken.None);
            await Task.WhenAny(flush, isOver.Task);
            Hold(mount);
            never.TrySetException(new StoreException(StoreProblem.Unavailable, "it was killed"));
            await mount.StopAsync();
            mount.Store.Before = (_, _) => Task.CompletedTask;
            mount.Start();
            await mount.FlushAsync();
            Hold(mount);
            mount.Manifests.Select(manifest => manifest.Name).ShouldBe(["step-1"]);
            mount.Objects.ShouldBe(["step-1/.metadata", "step-1/a", "step-1/b"]);
        }
    }

    // Where each record ends.
    private static List<int> Ends(byte[] journal)
    {
        var ends = new List<int> { 0 };
        while (ends[^1] < journal.Length)
        {
            RecordCodec.TryRead(journal.AsSpan(ends[^1]), out _, out var length).ShouldBeTrue();
            ends.Add(ends[^1] + length);
        }

        return ends;
    }

    // A checkpoint that is listed is all there, as its manifest says.
    private static void Hold(AMount mount)
    {
        foreach (var file in mount.Manifests.SelectMany(manifest => manifest.Files))
        {
            var stored = mount.Store.Content(file.Path).ShouldNotBeNull($"{file.Path} is listed");
            (stored.LongLength, Crc32.HashToUInt32(stored)).ShouldBe((file.Size, file.Crc32));
        }
    }
}
