using CsCheck;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Tests;

public sealed class RootLayoutTests
{
    private static readonly Host Debian = new(["/etc/hosts", "/usr/bin/sh", "/usr/share/doc/a", "/home/me/.state/plane/secret", "/var/log/x", "/opt/tool"], new() { ["/bin"] = "usr/bin", ["/var/run"] = "/run" });

    [Fact]
    public void Host_directories_are_bound_read_only_and_links_made_again()
    {
        var arguments = Arguments([]);
        arguments.ShouldContain("--ro-bind-try /usr /usr");
        arguments.ShouldContain("--symlink usr/bin /bin");
        arguments.ShouldNotContain("--ro-bind-try /bin /bin");
    }

    [Fact]
    public void A_mount_point_is_placed_where_the_hosts_links_lead()
    {
        Arguments([new("/v", "/var/run/secrets", true)]).ShouldContain("--bind /v /run/secrets");
    }

    [Fact]
    public void A_place_the_host_has_not_got_opens_its_nearest_directory()
    {
        var arguments = Arguments([new("/v", "/usr/share/new/deep", true, ReadOnly: true)]);
        arguments.ShouldContain("--tmpfs /usr/share");
        arguments.ShouldContain("--ro-bind-try /usr/share/doc /usr/share/doc");
        arguments.ShouldEndWith("--ro-bind /v /usr/share/new/deep");
    }

    [Fact]
    public void A_hidden_directory_is_covered_before_anything_is_mounted_in_it()
    {
        var arguments = string.Join(' ', new RootLayout(Debian).Arguments([new("/b", "/home/me/.state/plane/bin", true)], ["/home/me/.state/plane"], []));
        arguments.IndexOf("--tmpfs /home/me/.state/plane", StringComparison.Ordinal).ShouldBeLessThan(arguments.IndexOf("--bind /b /home/me/.state/plane/bin", StringComparison.Ordinal));
    }

    [Fact]
    public void Parents_are_always_mounted_before_their_children()
    {
        var target = Gen.OneOf("usr", "data", "x", "etc", "run").Array[1, 4].Select(p => "/" + string.Join('/', p));
        target.Array[1, 8].Sample(targets =>
        {
            var mounts = targets.Distinct().Select(t => new SandboxMount("/v", t, true)).ToList();
            var arguments = new RootLayout(Debian).Arguments(mounts, [], []);
            var order = arguments.Index().Where(a => a.Item == "--bind").Select(a => arguments[a.Index + 2]).ToList();
            order.Count.ShouldBe(mounts.Select(m => new RootLayout(Debian).Resolve(m.Target)).Distinct().Count());
            for (var i = 0; i < order.Count; i++)
            {
                for (var j = 0; j < i; j++) order[j].ShouldNotStartWith(order[i] + "/");
            }
        }, iter: 500);
    }

    private static string Arguments(IReadOnlyList<SandboxMount> mounts) => string.Join(' ', new RootLayout(Debian).Arguments(mounts, [], []));

    private sealed class Host(string[] files, Dictionary<string, string> links) : IHostFiles
    {
        public HostEntry Kind(string path)
        {
            if (links.ContainsKey(path)) return HostEntry.Link;
            if (files.Contains(path)) return HostEntry.File;
            return path == "/" || files.Any(f => f.StartsWith(path + "/", StringComparison.Ordinal)) ? HostEntry.Directory : HostEntry.None;
        }

        public string LinkTarget(string path) => links[path];

        public IReadOnlyList<string> Names(string directory) =>
            [.. files.Concat(links.Keys).Where(f => f.StartsWith(directory.TrimEnd('/') + "/", StringComparison.Ordinal)).Select(f => f[(directory.TrimEnd('/').Length + 1)..].Split('/')[0]).Distinct().Order(StringComparer.Ordinal)];
    }
}
