using System.Globalization;
using System.Text.Json;
using Trestle.CacheMount.Directories;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>
/// What one of several ranks has written of a checkpoint, all of it in the store. The checkpoint is whole when every rank has said so since
/// one of them finished it.
/// </summary>
/// <param name="Name">Path of the checkpoint.</param>
/// <param name="Rank">Of the writer.</param>
/// <param name="Finish">A word that is new each time this rank finishes the checkpoint; null when others do.</param>
/// <param name="Answers">Words of others, after which these files were looked at.</param>
/// <param name="At">When it was written.</param>
/// <param name="Files">Its files; none when it wrote nothing.</param>
internal sealed record CheckpointShare(string Name, int Rank, string? Finish, IReadOnlyList<string> Answers, DateTimeOffset At, IReadOnlyList<ManifestFile> Files)
{
    private const string Root = Manifest.Root + "shares/";
    private const string Ends = Manifest.Root + "ended/";

    /// <summary>Who wrote it, for people.</summary>
    public string Writer { get; init; } = "";

    /// <summary>One more file of this rank never gets into the store: the checkpoint is never whole.</summary>
    public bool IsBroken { get; init; }

    /// <summary>Before the keys of all shares of an attempt, or of a whole run.</summary>
    public static string Folder(string run, int? attempt = null) => attempt is { } number ? string.Create(CultureInfo.InvariantCulture, $"{Root}{run}/{number}/") : $"{Root}{run}/";

    /// <summary>Key of a share.</summary>
    public static string KeyOf(string run, int attempt, string name, int rank) => string.Create(CultureInfo.InvariantCulture, $"{Folder(run, attempt)}{name}/{rank}.json");

    /// <summary>Before the keys that say which ranks write nothing any more.</summary>
    public static string EndFolder(string run, int attempt) => string.Create(CultureInfo.InvariantCulture, $"{Ends}{run}/{attempt}/");

    /// <summary>As it is stored.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.CheckpointShare);

    /// <summary>Reads one that others may have written; null when it is none.</summary>
    public static CheckpointShare? FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ManifestJson.Default.CheckpointShare) is { Name: not null, Files: not null, Answers: not null, Rank: >= 0 } read
                && NameRules.IsSafe(read.Name) && read.Files.All(file => file?.IsOf(read.Name) == true) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What the shares of a checkpoint are together. Pure.</summary>
/// <param name="nodes">Ranks that write checkpoints.</param>
internal sealed class ShareSum(int nodes)
{
    /// <summary>Words by which ranks said that the checkpoint is finished; none: it is not.</summary>
    public static IReadOnlyList<string> Finishes(IEnumerable<CheckpointShare> shares) => [.. shares.Where(share => share.Finish is not null).OrderBy(share => share.Rank).Select(share => share.Finish!)];

    /// <summary>Ranks that have not said that all they wrote is in the store; none: the checkpoint is whole.</summary>
    /// <param name="shares">Of one checkpoint, one of each rank at most.</param>
    /// <param name="ended">Ranks that write nothing any more, and have said all.</param>
    public IReadOnlyList<int> Missing(IReadOnlyCollection<CheckpointShare> shares, IReadOnlySet<int> ended)
    {
        var finishes = Finishes(shares);
        var said = shares.Where(share => share.Finish is not null || (finishes.Count > 0 && finishes.All(share.Answers.Contains))).Select(share => share.Rank).ToHashSet();
        return [.. Enumerable.Range(0, nodes).Where(rank => !said.Contains(rank) && !(finishes.Count > 0 && ended.Contains(rank)))];
    }

    /// <summary>The manifest of a checkpoint that is whole: the same bytes whoever makes it.</summary>
    /// <param name="shares">Of one checkpoint.</param>
    /// <param name="run">The job.</param>
    /// <param name="attempt">Its attempt.</param>
    /// <param name="stored">ETag of an object of which several ranks have told, each another one.</param>
    /// <returns>Null when a file is in the store as no rank has told.</returns>
    public Manifest? Manifest(IReadOnlyCollection<CheckpointShare> shares, string run, int attempt, IReadOnlyDictionary<string, string> stored)
    {
        var files = new SortedDictionary<string, ManifestFile>(StringComparer.Ordinal);
        foreach (var file in shares.OrderBy(share => share.Rank).SelectMany(share => share.Files))
        {
            if (!stored.TryGetValue(file.Path, out var etag) || etag == file.ETag) files[file.Path] = file;
        }

        if (stored.Keys.Any(path => !files.ContainsKey(path))) return null;
        var first = shares.Where(share => share.Finish is not null).MinBy(share => share.Rank)!;
        return new Manifest(first.Name, first.Writer, attempt, shares.Max(share => share.At), files.Values.Sum(file => file.Size), [.. files.Values]) { Nodes = nodes, Run = run, Finishes = Finishes(shares) };
    }

    /// <summary>Paths of which several ranks tell different things.</summary>
    public static IReadOnlyList<string> Disputed(IEnumerable<CheckpointShare> shares) =>
        [.. shares.SelectMany(share => share.Files).GroupBy(file => file.Path, StringComparer.Ordinal).Where(same => same.Select(file => file.ETag).Distinct(StringComparer.Ordinal).Count() > 1).Select(same => same.Key)];
}
