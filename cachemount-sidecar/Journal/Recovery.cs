using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Journal;

/// <summary>A file as it is found on disk.</summary>
internal sealed record FoundFile(string Path, Fingerprint File);

/// <summary>
/// Decides, from what a ledger says and what is on disk, which files are dirty. Whatever is not proven clean is: a file that the
/// ledger does not know, or knows in another state, goes to the store (again). Nothing here removes anything from disk or store.
/// </summary>
internal static class Recovery
{
    /// <summary>Records to append so that every file that is not proven clean is pending.</summary>
    /// <param name="ledger">What the journal said; gives out the new numbers.</param>
    /// <param name="found">Every file below the mount.</param>
    public static IReadOnlyList<JournalRecord> Plan(Ledger ledger, IEnumerable<FoundFile> found)
    {
        var records = new List<JournalRecord>();
        // Without a journal the times of the files are the best there is to say which was closed first.
        foreach (var file in CloseOrder.Of(found, file => file.Path, file => file.File.ModifiedNs))
        {
            if (IsKnown(ledger, file)) continue;
            records.Add(new Closed(ledger.NextSequence(), file.Path, file.File));
        }

        return records;
    }

    /// <summary>Whether a file is pending as it is, or proven clean.</summary>
    public static bool IsKnown(Ledger ledger, FoundFile file) => ledger.PendingOf(file.Path) switch
    {
        Store store => store.File.LooksLike(file.File), // it will be looked at again when its turn comes
        Remove => false, // it is there again
        _ => ledger.StoredFiles.TryGetValue(file.Path, out var stored) && stored.File.Proves(file.File),
    };
}
