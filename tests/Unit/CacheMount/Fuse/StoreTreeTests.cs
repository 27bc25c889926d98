using Trestle.CacheMount.Fuse;

namespace Trestle.CacheMount.Tests.Fuse;

public sealed class StoreTreeTests
{
    private static readonly StoreEntry Entry = new(1, "tag", 0);

    [Fact]
    public void A_listing_brings_what_others_stored_and_takes_what_is_gone()
    {
        var tree = new StoreTree();
        tree.EndListing(tree.BeginListing(), [("a", Entry), ("d/b", Entry)], _ => true);
        tree.In("").ShouldBe(["a"]);
        tree.Below("d").ShouldBe(["d/b"]);
        tree.EndListing(tree.BeginListing(), [("a", Entry with { ETag = "other" })], _ => true);
        tree["a"]!.ETag.ShouldBe("other");
        tree["d/b"].ShouldBeNull();
        tree.In("d").ShouldBeEmpty();
    }

    [Fact]
    public void What_is_removed_or_given_up_while_the_store_is_listed_is_not_undone()
    {
        var tree = new StoreTree();
        tree.EndListing(tree.BeginListing(), [("a", Entry), ("b", Entry)], _ => true);
        tree.Remove("b"); // its object goes later
        var round = tree.BeginListing();
        tree.Remove("a");
        tree.Add("c", Entry); // stored behind where the listing was
        tree.EndListing(round, [("a", Entry), ("b", Entry)], _ => true);
        tree.In("").ShouldBe(["c"]);
        tree.EndListing(tree.BeginListing(), [("c", Entry)], _ => true);
        tree.EndListing(tree.BeginListing(), [("a", Entry)], _ => true); // somebody has stored it again
        tree.In("").ShouldBe(["a"]);
    }
}
