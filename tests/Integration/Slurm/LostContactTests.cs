using System.Diagnostics;
using Trestle.Bridge.Login;
using Trestle.Testing;
using Trestle.Testing.Slurm;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>A real sshd that goes away, comes back, or does not answer.</summary>
[Collection(SlurmCollection.Name)]
public sealed class LostContactTests(SlurmFixture fixture) : IAsyncLifetime
{
    private SlurmCluster _cluster = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _cluster = await fixture.HealthyAsync();
        (await _cluster.RunAsync(_cluster.A, "rm -rf marks; mkdir marks")).ShouldExit(0);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_connection_killed_in_the_middle_of_a_script_is_lost_contact_and_the_next_script_works()
    {
        await using var nodes = RealSlurm.Nodes();
        var node = nodes.Of(_cluster.Login(_cluster.A));
        (await node.RunAsync("true", Ct)).ExitCode.ShouldBe(0);
        var scripts = Enumerable.Range(0, 5).Select(i => node.RunAsync($"echo part; : >marks/{i}; sleep 60", Ct)).ToList();
        await UntilMarksAsync(5);
        await _cluster.KillAsync("connections");

        foreach (var script in scripts) (await Should.ThrowAsync<ContactLostException>(() => script)).Message.ShouldContain("lost before");
        (await node.RunAsync("echo again", Ct)).Output.Text().ShouldBe("again\n");
    }

    [Fact]
    public async Task A_host_that_lets_in_and_hangs_up_is_left_alone_for_a_while()
    {
        await using var nodes = RealSlurm.Nodes();
        var node = nodes.Of(_cluster.Login(_cluster.A));
        var script = node.RunAsync(": >marks/1; sleep 60", Ct);
        await UntilMarksAsync(1);
        await _cluster.KillAsync("connections");
        await Should.ThrowAsync<ContactLostException>(() => script);

        (await Should.ThrowAsync<ContactLostException>(() => node.RunAsync("true", Ct))).Message.ShouldContain("hung up before a script was answered");
        await WorksAgainAsync(node);
    }

    [Fact]
    public async Task While_sshd_is_down_contact_is_lost_at_once_and_it_comes_back_by_itself()
    {
        await using var nodes = RealSlurm.Nodes();
        var node = nodes.Of(_cluster.Login(_cluster.A));
        (await node.RunAsync("echo before", Ct)).Output.Text().ShouldBe("before\n");
        await _cluster.KillAsync("connections", "sshd");
        try
        {
            await Condition.UntilAsync("the loss is noticed", async () =>
                (await Should.ThrowAsync<ContactLostException>(() => node.RunAsync("echo down", Ct))).Message.Contains("nothing listens", StringComparison.Ordinal));
            // Between two tries the answer is the last one, with the time of the next.
            var messages = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ => (await Should.ThrowAsync<ContactLostException>(() => node.RunAsync("echo down", Ct))).Message));
            messages.ShouldAllBe(message => message.Contains("start sshd there"));
            messages.ShouldContain(message => message.Contains("next try in"));
        }
        finally
        {
            await _cluster.StartAsync("sshd");
        }

        await WorksAgainAsync(node);
    }

    [Fact]
    public async Task A_script_that_takes_too_long_is_lost_contact_and_the_next_one_gets_a_new_connection()
    {
        await using var nodes = RealSlurm.Nodes(new SshOptions { CommandTimeout = TimeSpan.FromSeconds(5) });
        var node = nodes.Of(_cluster.Login(_cluster.A));
        var logins = _cluster.Logins();
        var lost = await Should.ThrowAsync<ContactLostException>(() => node.RunAsync("echo part; sleep 60", Ct));
        lost.Message.ShouldContain("within 5 s");
        (await node.RunAsync("echo next", Ct)).Output.Text().ShouldBe("next\n");
        (_cluster.Logins() - logins).ShouldBe(2);
    }

    [Fact]
    public async Task A_cancelled_script_is_abandoned_and_goes_on()
    {
        await using var nodes = RealSlurm.Nodes();
        var node = nodes.Of(_cluster.Login(_cluster.A));
        using var cancel = new CancellationTokenSource();
        var script = node.RunAsync(": >marks/1; until [ -e marks/go ]; do sleep 0.1; done; : >marks/3", cancel.Token);
        await UntilMarksAsync(1);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => script);

        (await node.RunAsync(": >marks/go", Ct)).ExitCode.ShouldBe(0);
        await UntilMarksAsync(3);
    }

    [Fact]
    public async Task Abandoned_scripts_that_go_on_never_use_up_the_sessions_of_a_connection()
    {
        await using var nodes = RealSlurm.Nodes();
        var node = nodes.Of(_cluster.Login(_cluster.A));
        for (var i = 1; i <= 15; i++)
        {
            using var cancel = new CancellationTokenSource();
            var script = node.RunAsync($": >marks/{i}; until [ -e marks/go ] || ! [ -d marks ]; do sleep 1; done", cancel.Token);
            await UntilMarksAsync(i);
            await cancel.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => script);
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => node.RunAsync($"echo {i}", Ct)));
        answers.Select(answer => answer.Output.Text()).ShouldBe(Enumerable.Range(0, 30).Select(i => $"{i}\n"));
        (await node.RunAsync(": >marks/go", Ct)).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_connection_that_nobody_uses_is_closed_and_made_again_when_it_is_needed()
    {
        await using var nodes = RealSlurm.Nodes(new SshOptions { IdleTimeout = TimeSpan.FromSeconds(1) });
        var node = nodes.Of(_cluster.Login(_cluster.A));
        var logins = _cluster.Logins();
        (await node.RunAsync("true", Ct)).ExitCode.ShouldBe(0);
        await Condition.UntilAsync("sshd has no connection of ours", async () => (await _cluster.RunAsRootAsync($"pgrep -f '^sshd: {_cluster.A.Name}'")).ExitCode == 1);
        (await node.RunAsync("true", Ct)).ExitCode.ShouldBe(0);
        (_cluster.Logins() - logins).ShouldBe(2);
    }

    [Fact]
    public async Task Many_users_at_once_do_not_run_into_the_limit_of_sshd_for_new_connections()
    {
        // Forty logins of two users by three keys and a text of their own each: MaxStartups would refuse some of them at 10.
        await using var nodes = RealSlurm.Nodes();
        var all = Enumerable.Range(0, 40).Select(i => _cluster.Login(i % 2 == 0 ? _cluster.A : _cluster.B) with { KnownHosts = $"{_cluster.KnownHosts}# {i}\n" });
        var answers = await Task.WhenAll(all.Select(login => nodes.Of(login).RunAsync("id -un", Ct)));
        answers.Select(answer => answer.Output.Text().TrimEnd()).ShouldBe(Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? _cluster.A.Name : _cluster.B.Name));
    }

    [Fact]
    public async Task A_host_that_takes_the_connection_and_says_nothing_is_given_up_in_time()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        await using var nodes = RealSlurm.Nodes(new SshOptions { ConnectTimeout = TimeSpan.FromSeconds(1) });
        var login = _cluster.Login(_cluster.A) with { Port = ((System.Net.IPEndPoint)silent.LocalEndpoint).Port };
        var began = Stopwatch.GetTimestamp();
        (await Should.ThrowAsync<ContactLostException>(() => nodes.Of(login).RunAsync("true", Ct))).Message.ShouldContain("did not complete a login in time");
        Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(30));
    }

    private static Task WorksAgainAsync(ILoginNode node) => Condition.UntilAsync("it works again", async () =>
    {
        try
        {
            return (await node.RunAsync("echo back", Ct)).Output.Text() == "back\n";
        }
        catch (ContactLostException)
        {
            return false;
        }
    });

    private Task UntilMarksAsync(int count) => Condition.UntilAsync($"{count} scripts have come so far", () => Directory.GetFiles(Path.Combine(_cluster.A.Home, "marks")).Length >= count);
}
