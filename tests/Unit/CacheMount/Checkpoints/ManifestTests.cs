using System.Text;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Tests.Checkpoints;

public sealed class ManifestTests
{
    private static readonly Fingerprint One = new(1, 10, 100, 100, Racy: false);
    private static readonly Fingerprint Two = new(2, 20, 200, 200, Racy: false);

    [Theory]
    [InlineData("step-1", "step-1/../../x")]
    [InlineData("step-1", "/etc/passwd")]
    [InlineData("step-1", "step-2/a")]
    [InlineData("../step-1", "../step-1/a")]
    [InlineData("", "/a")]
    [InlineData("step-1", "step-1//a")]
    public void A_manifest_that_names_what_is_not_its_own_is_none(string name, string path) =>
        Manifest.FromJson(new Manifest(name, "w", 1, DateTimeOffset.UnixEpoch, 1, [new(path, 1, "e", 0)]).ToJson()).ShouldBeNull();

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"name\":\"a\",\"files\":[null]}")]
    public void What_is_no_manifest_is_none(string text) => Manifest.FromJson(Encoding.UTF8.GetBytes(text)).ShouldBeNull();

    [Fact]
    public void A_manifest_reads_back_as_it_was_written()
    {
        var manifest = new Manifest("step-1", "node-0", 3, DateTimeOffset.UnixEpoch, 30, [new("step-1/a", 10, "e", 7), new("step-1/b", 20, "f", 8)]);
        var read = Manifest.FromJson(manifest.ToJson())!;
        (read with { Files = manifest.Files }).ShouldBe(manifest);
        read.Files.ShouldBe(manifest.Files);
    }

    [Fact]
    public void A_manifest_waits_for_every_file_to_be_stored_as_it_is_on_disk()
    {
        Dictionary<string, Fingerprint> disk = new() { ["step-1/a"] = One, ["step-1/b"] = Two };
        var ledger = new Ledger();
        ledger.Apply(new Completed(1, "step-1/a", One, "e", 7));
        Publisher.Decide(ledger, "step-1", disk).Outcome.ShouldBe(Publication.NotYet);
        ledger.Apply(new Completed(2, "step-1/b", One, "f", 8));
        Publisher.Decide(ledger, "step-1", disk).Outcome.ShouldBe(Publication.NotYet);
        ledger.Apply(new Completed(3, "step-1/b", Two, "f", 8));
        ledger.Apply(new Completed(4, "step-10/c", Two, "g", 9));
        var (files, outcome) = Publisher.Decide(ledger, "step-1", disk);
        outcome.ShouldBe(Publication.Published);
        files.ShouldBe([new("step-1/a", 10, "e", 7), new("step-1/b", 20, "f", 8)]);
    }

    [Fact]
    public void Evicted_files_belong_to_a_checkpoint_and_removed_ones_break_it()
    {
        var ledger = new Ledger();
        ledger.Apply(new Completed(1, "step-1/a", One, "e", 7));
        Publisher.Decide(ledger, "step-1", new Dictionary<string, Fingerprint>()).Outcome.ShouldBe(Publication.Gone);
        ledger.Apply(new Evicted(1, "step-1/a"));
        Publisher.Decide(ledger, "step-1", new Dictionary<string, Fingerprint>()).Outcome.ShouldBe(Publication.Published);
    }
}
