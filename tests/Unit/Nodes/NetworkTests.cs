using CsCheck;
using Trestle.Local.Nodes.Network;

namespace Trestle.Local.Nodes.Tests;

public sealed class NetworkTests
{
    private static readonly Dictionary<string, string> App = new() { ["app"] = "t" };

    [Fact]
    public void Addresses_are_unique_stable_and_free_again_when_the_pod_is_gone()
    {
        var pool = new AddressPool();
        var addresses = Enumerable.Range(0, 2000).Select(i => pool.Take($"uid-{i}")).ToList();
        addresses.Distinct().Count().ShouldBe(2000);
        addresses.ShouldAllBe(a => a.StartsWith("127.") && !a.EndsWith(".0") && !a.EndsWith(".255"));
        pool.Take("uid-7").ShouldBe(addresses[7]);
        pool.Release("uid-7");
        new AddressPool().Take("uid-7").ShouldBe(pool.Take("uid-7"));
    }

    [Fact]
    public void A_published_address_is_kept_unless_another_pod_has_it()
    {
        var pool = new AddressPool();
        pool.Take("a", "127.30.0.1").ShouldBe("127.30.0.1");
        pool.Take("b", "127.30.0.1").ShouldNotBe("127.30.0.1");
    }

    [Fact]
    public void Pods_find_each_other_by_host_name_under_their_service()
    {
        PodAddress[] pods = [Pod("t-0", "127.20.0.1", true), Pod("t-1", "127.20.0.2", false)];
        var text = HostsFile.Render("default", "127.20.0.1", "t-0", pods, []);
        Find(text, "t-1.t").ShouldBe(["127.20.0.2"]);
        Find(text, "t-1").ShouldBe(["127.20.0.2"]);
        Find(text, "t-1.t.default.svc").ShouldBe(["127.20.0.2"]);
        Find(text, "t-0.t.default.svc.cluster.local").ShouldBe(["127.20.0.1"]);
        Find(text, "localhost").ShouldContain("127.0.0.1");
    }

    [Fact]
    public void Another_namespace_is_only_found_by_its_full_name()
    {
        var text = HostsFile.Render("other", "127.20.0.9", "x", [Pod("t-0", "127.20.0.1", true)], [new ServiceAddress("default", "web", false, false, App)]);
        Find(text, "web").ShouldBeEmpty();
        Find(text, "web.default").ShouldBe(["127.20.0.1"]);
    }

    [Fact]
    public void A_headless_service_names_all_its_pods_and_another_one_only_a_ready_pod()
    {
        PodAddress[] pods = [Pod("t-0", "127.20.0.1", false), Pod("t-1", "127.20.0.2", true), Pod("t-2", "127.20.0.3", true)];
        Find(HostsFile.Render("default", "x", "x", pods, [new("default", "all", true, true, App)]), "all").ShouldBe(["127.20.0.1", "127.20.0.2", "127.20.0.3"]);
        Find(HostsFile.Render("default", "x", "x", pods, [new("default", "one", false, false, App)]), "one").ShouldBe(["127.20.0.2"]);
        Find(HostsFile.Render("default", "x", "x", pods, [new("default", "none", true, true, new Dictionary<string, string>())]), "none").ShouldBeEmpty();
    }

    [Fact]
    public void Updating_in_place_keeps_the_file_and_leaves_nothing_of_a_longer_one()
    {
        var path = Path.GetTempFileName();
        Gen.String[Gen.Char['a', 'z'], 0, 200].Array[1, 10].Sample(texts =>
        {
            foreach (var text in texts)
            {
                HostsFile.Update(path, text);
                File.ReadAllText(path).ShouldBe(text);
            }
        }, iter: 50, threads: 1);
        File.Delete(path);
    }

    private static PodAddress Pod(string name, string address, bool ready) => new("default", name, address, name, "t", App, ready);

    private static List<string> Find(string hosts, string name) =>
        [.. hosts.Split('\n').Where(l => !l.StartsWith('#')).Select(l => l.Split(['\t', ' '])).Where(w => w.Skip(1).Contains(name)).Select(w => w[0])];
}
