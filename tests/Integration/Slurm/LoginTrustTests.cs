using Trestle.Bridge.Login;
using Trestle.Testing.Slurm;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>Who is let in, and whom we trust: through a real sshd.</summary>
[Collection(SlurmCollection.Name)]
public sealed class LoginTrustTests(SlurmFixture fixture) : IAsyncLifetime
{
    private readonly SshLoginNodes _nodes = RealSlurm.Nodes();
    private SlurmCluster _cluster = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ClusterLogin Login => _cluster.Login(_cluster.A);

    public async ValueTask InitializeAsync() => _cluster = await fixture.HealthyAsync();

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Theory]
    [InlineData("ed25519")]
    [InlineData("ecdsa")]
    [InlineData("rsa")]
    public async Task A_key_of_every_kind_is_taken(string kind)
    {
        var key = kind switch { "ed25519" => _cluster.A.Ed25519Key, "ecdsa" => _cluster.A.EcdsaKey, _ => _cluster.A.RsaKey };
        await WhoAsync(Login with { PrivateKey = key.TrimEnd() });
    }

    [Theory]
    [InlineData("ed25519")]
    [InlineData("ecdsa")]
    [InlineData("rsa")]
    public async Task One_pinned_key_of_a_host_with_several_is_enough(string kind) =>
        await WhoAsync(Login with { KnownHosts = string.Join('\n', Pins().Where(line => line.Contains(kind, StringComparison.Ordinal))) });

    [Fact]
    public async Task A_host_key_that_is_not_the_pinned_one_is_refused()
    {
        // What a man in the middle looks like: the right name, another key.
        var foreign = (await _cluster.RunAsRootAsync($"cut -d' ' -f1,2 {_cluster.Directory}/ssh/b.ed25519.pub")).ShouldExit(0).Out.Trim();
        var message = await RefusalAsync(Login with { KnownHosts = $"[{_cluster.Host}]:{_cluster.Port} {foreign}" });
        message.ShouldContain("is not the one in known_hosts");
        message.ShouldContain("ask its administrator");
    }

    [Fact]
    public async Task A_host_without_a_pinned_key_is_refused_and_the_key_named()
    {
        var logins = _cluster.Logins();
        var message = await RefusalAsync(Login with { KnownHosts = "# nothing yet\n" });
        message.ShouldContain($"known_hosts has no key for 127.0.0.1:{_cluster.Port}");
        var prints = (await _cluster.RunAsRootAsync($"for key in {_cluster.Directory}/ssh/host.*.pub; do ssh-keygen -l -f $key; done")).ShouldExit(0).Out;
        prints.ShouldContain(message.Split("SHA256:")[1].Split(',')[0]);
        _cluster.Logins().ShouldBe(logins);
    }

    [Fact]
    public async Task A_revoked_host_key_is_refused()
    {
        var revoked = string.Join('\n', Pins().Select(line => $"@revoked * {line.Split(' ', 2)[1]}"));
        (await RefusalAsync(Login with { KnownHosts = $"{_cluster.KnownHosts}\n{revoked}" })).ShouldContain("revoked");
    }

    [Fact]
    public async Task Nobody_gets_in_with_the_key_of_another()
    {
        var message = await RefusalAsync(_cluster.Login(_cluster.A, _cluster.B.Ed25519Key));
        message.ShouldContain($"refused the key of the user {_cluster.A.Name}");
        message.ShouldNotContain(_cluster.B.Ed25519Key.Split('\n')[1]);
    }

    [Fact]
    public async Task A_key_with_a_passphrase_or_none_at_all_is_explained()
    {
        var file = Path.Combine(_cluster.Directory, "locked");
        (await _cluster.RunAsRootAsync($"[ -e {file} ] || ssh-keygen -q -t ed25519 -N words -f {file}")).ShouldExit(0);
        foreach (var key in (string[])[await File.ReadAllTextAsync(file, Ct), "not a key", ""])
        {
            var message = await RefusalAsync(Login with { PrivateKey = key });
            message.ShouldContain("without a passphrase");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Jump_hosts_are_gone_through_in_order(int jumps)
    {
        var logins = _cluster.Logins();
        var login = Login with { JumpHosts = [.. Enumerable.Repeat($"127.0.0.1:{_cluster.Port}", jumps)] };
        var node = _nodes.Of(login);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => node.RunAsync($"echo {i} $USER", Ct)));
        answers.Select(answer => answer.Output.Text()).ShouldBe(Enumerable.Range(0, 20).Select(i => $"{i} {_cluster.A.Name}\n"));
        (_cluster.Logins() - logins).ShouldBe(jumps + 1);
    }

    [Fact]
    public async Task A_jump_host_that_does_not_let_us_in_is_the_one_named()
    {
        var login = Login with { JumpHosts = [$"{_cluster.B.Name}@localhost:{_cluster.Port}"] };
        (await RefusalAsync(login)).ShouldContain($"known_hosts has no key for localhost:{_cluster.Port}");
        var pinned = login with { KnownHosts = string.Join('\n', Pins().SelectMany(line => (string[])[line, line.Replace("127.0.0.1", "localhost")])) };
        (await RefusalAsync(pinned)).ShouldContain($"localhost:{_cluster.Port} refused the key of the user {_cluster.B.Name}");
    }

    private string[] Pins() => _cluster.KnownHosts.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task WhoAsync(ClusterLogin login) => (await _nodes.Of(login).RunAsync("id -un", Ct)).Output.Text().ShouldBe($"{_cluster.A.Name}\n");

    private async Task<string> RefusalAsync(ClusterLogin login) =>
        (await Should.ThrowAsync<ContactLostException>(() => _nodes.Of(login).RunAsync("echo never", Ct))).Message;
}
