using CsCheck;
using Trestle.CacheMount.Fuse;

namespace Trestle.CacheMount.Tests.Fuse;

public sealed class NodeTableTests
{
    [Fact]
    public void Paths_follow_renames_and_forgotten_nodes_are_gone_when_nothing_leads_through_them()
    {
        var table = new NodeTable(-1, new NodeKey(1, 0));
        var folder = table.Enter(table.Root, "d", new NodeKey(2, 0));
        var file = table.Enter(folder, "f", new NodeKey(3, 0));
        table.Enter(table.Root, "link", new NodeKey(3, 0)).ShouldBe(file);
        table.Rename(table.Root, "d", table.Root, "e", isExchange: false);
        table.PathOf(file).ShouldBe("e/f");
        table.Forget(folder.Id, 1);
        table.PathOf(file).ShouldBe("e/f"); // its directory stays as long as it is needed
        table.Remove(folder, "f");
        table.PathOf(file).ShouldBe("link");
        table.Remove(table.Root, "link");
        table.PathOf(file).ShouldBeNull();
        table.Forget(file.Id, 5);
        table.Count.ShouldBe(1);
    }

    [Fact]
    public void A_file_that_leaves_the_cache_and_comes_back_is_the_same_node()
    {
        var table = new NodeTable(-1, new NodeKey(1, 0));
        var file = table.Enter(table.Root, "f", new NodeKey(3, 0));
        table.Enter(table.Root, "f", key: null).ShouldBe(file);
        file.IsStoredOnly.ShouldBeTrue();
        table.Enter(table.Root, "f", new NodeKey(9, 0)).ShouldBe(file);
        table.Enter(table.Root, "f", new NodeKey(10, 0)).ShouldNotBe(file); // another file took its name
    }

    [Fact]
    public void Whatever_happens_every_name_leads_to_one_node_and_all_can_be_forgotten() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[2, 6]).Array[1, 60].Sample(steps =>
        {
            var table = new NodeTable(-1, new NodeKey(1, 0));
            var known = new Dictionary<string, ulong>(StringComparer.Ordinal);
            var lookups = new Dictionary<ulong, ulong>();
            foreach (var (what, one, other, key) in steps)
            {
                var (name, newName) = ($"n{one}", $"n{other}");
                switch (what)
                {
                    case 0:
                        known[name] = table.Enter(table.Root, name, new NodeKey((ulong)key, 0)).Id;
                        lookups[known[name]] = lookups.GetValueOrDefault(known[name]) + 1;
                        break;
                    case 1:
                        table.Remove(table.Root, name);
                        known.Remove(name);
                        break;
                    case 2 when known.GetValueOrDefault(name) != known.GetValueOrDefault(newName):
                        table.Rename(table.Root, name, table.Root, newName, isExchange: false);
                        if (known.Remove(name, out var moved)) known[newName] = moved;
                        else known.Remove(newName);
                        break;
                    case 3 when known.ContainsKey(name) && known.ContainsKey(newName):
                        table.Rename(table.Root, name, table.Root, newName, isExchange: true);
                        (known[name], known[newName]) = (known[newName], known[name]);
                        break;
                }

                foreach (var id in known.Values) known.Keys.ShouldContain(table.PathOf(table[id])!);
            }

            foreach (var (id, count) in lookups) table.Forget(id, count);
            table.Count.ShouldBe(1);
        });
}
