using System.Security.Cryptography;
using Trestle.Bridge.Login;
using Trestle.Testing;
using Trestle.Testing.Slurm;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>Scripts through a real sshd.</summary>
[Collection(SlurmCollection.Name)]
public sealed class LoginNodeTests(SlurmFixture fixture) : IAsyncLifetime
{
    private readonly SshLoginNodes _nodes = RealSlurm.Nodes();
    private SlurmCluster _cluster = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ILoginNode Node => _nodes.Of(_cluster.Login(_cluster.A));

    public async ValueTask InitializeAsync() => _cluster = await fixture.HealthyAsync();

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact]
    public async Task Two_hundred_scripts_at_once_share_one_connection_and_eight_channels()
    {
        var logins = _cluster.Logins();
        // Each says how many run beside it.
        const string Script = "d=$HOME/at-work; mkdir -p $d; : >$d/$$; ls $d | wc -l; sleep 0.02; rm $d/$$";
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Node.RunAsync($"{Script}; echo number {i}; exit {i}", Ct)));

        answers.Select(answer => answer.ExitCode).ShouldBe(Enumerable.Range(0, 200));
        answers.Select(answer => answer.Output.Text().Split('\n')[1]).ShouldBe(Enumerable.Range(0, 200).Select(i => $"number {i}"));
        answers.Max(answer => int.Parse(answer.Output.Text().Split('\n')[0])).ShouldBeInRange(2, 8);
        (_cluster.Logins() - logins).ShouldBe(1);
        _cluster.SshLog.ShouldNotContain("nonexistent channel", Case.Sensitive, "no word of ours came after a channel's end");
    }

    [Fact]
    public async Task Ten_megabytes_of_any_bytes_come_back_unchanged()
    {
        var bytes = RandomNumberGenerator.GetBytes(10 << 20);
        var file = Path.Combine(_cluster.A.Home, "bytes");
        await File.WriteAllBytesAsync(file, bytes, Ct);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var answer = await Node.RunAsync("cat bytes; cat bytes >&2", Ct);
        answer.ExitCode.ShouldBe(0);
        answer.Output.Span.SequenceEqual(bytes).ShouldBeTrue();
        answer.Error.Span.SequenceEqual(bytes).ShouldBeTrue();
    }

    [Fact]
    public async Task A_script_of_a_megabyte_runs()
    {
        var text = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i:00000} it's\n"));
        var answer = await Node.RunAsync($"wc -c <<'END'\n{text}END\necho end", Ct);
        answer.Output.Text().ShouldBe($"{text.Length}\nend\n");
    }

    [Theory]
    [InlineData("echo )")]
    [InlineData("echo 'unterminated")]
    public async Task A_script_that_is_no_shell_is_an_answer(string script) => (await Node.RunAsync(script, Ct)).ExitCode.ShouldBe(2);

    [Fact]
    public async Task What_the_start_files_of_the_shell_say_is_no_answer()
    {
        (await _cluster.RunAsync(_cluster.A, "echo 'echo \"*** maintenance on Monday ***\"; echo noise >&2' >.bashrc")).ShouldExit(0);
        try
        {
            var answer = await Node.RunAsync("echo out; echo err >&2", Ct);
            answer.Output.Text().ShouldBe("out\n");
            answer.Error.Text().ShouldBe("err\n");
        }
        finally
        {
            (await _cluster.RunAsync(_cluster.A, "rm .bashrc")).ShouldExit(0);
        }
    }

    [Theory]
    [InlineData("/bin/bash")]
    [InlineData("/bin/dash")]
    [InlineData("WORDS")] // stands in for csh and fish: says something, and knows nothing of sh but a command and its words
    public async Task Any_login_shell_will_do(string shell)
    {
        await using var own = RealSlurm.Nodes();
        if (shell == "WORDS")
        {
            shell = Path.Combine(_cluster.Directory, "words");
            await File.WriteAllTextAsync(shell, "#!/bin/bash\necho 'Welcome %s'\n[ $1 = -c ] || exit 9\nread -ra words <<<\"$2\"\n[ ${words[0]} != exec ] || unset 'words[0]'\nexec \"${words[@]}\"\n", Ct);
            (await _cluster.RunAsRootAsync($"chmod 755 {shell}")).ShouldExit(0);
        }

        (await _cluster.RunAsRootAsync($"usermod --shell {shell} {_cluster.B.Name}")).ShouldExit(0);
        try
        {
            var answer = await own.Of(_cluster.Login(_cluster.B)).RunAsync("for i in 1 2; do echo \"$i it's $SHELL\"; done; exit 4", Ct);
            answer.Output.Text().ShouldBe($"1 it's {shell}\n2 it's {shell}\n");
            answer.ExitCode.ShouldBe(4);
        }
        finally
        {
            (await _cluster.RunAsRootAsync($"usermod --shell /bin/bash {_cluster.B.Name}")).ShouldExit(0);
        }
    }

    [Fact]
    public async Task A_login_shell_that_lets_nobody_in_is_lost_contact_and_shown()
    {
        (await _cluster.RunAsRootAsync($"usermod --shell /usr/sbin/nologin {_cluster.B.Name}")).ShouldExit(0);
        try
        {
            var lost = await Should.ThrowAsync<ContactLostException>(() => _nodes.Of(_cluster.Login(_cluster.B)).RunAsync("echo no", Ct));
            lost.Message.ShouldContain("This account is currently not available.");
        }
        finally
        {
            (await _cluster.RunAsRootAsync($"usermod --shell /bin/bash {_cluster.B.Name}")).ShouldExit(0);
        }
    }

    [Fact]
    public async Task A_script_is_never_in_a_list_of_processes()
    {
        var answer = await Node.RunAsync("mark=hush-$((40 + 2)); grep -lz 'hu[s]h' /proc/[0-9]*/cmdline 2>/dev/null; echo $mark", Ct);
        answer.Output.Text().ShouldBe("hush-42\n");
    }

    [Fact]
    public async Task Jobs_are_submitted_and_seen_as_each_user_on_five_idle_nodes()
    {
        (await Node.RunAsync("sinfo -hN -o '%N %T' | sort -u", Ct)).Output.Text().ShouldBe("cpu1 idle\ngpu1 idle\ngpu2 idle\ngpu3 idle\ngpu4 idle\n");
        foreach (var user in (SlurmUser[])[_cluster.A, _cluster.B])
        {
            var node = _nodes.Of(_cluster.Login(user));
            var submitted = await node.RunAsync("""
                printf '#!/bin/sh\nsrun -N2 --ntasks-per-node=1 sh -c "echo \\$SLURM_NODEID \\$SLURMD_NODENAME \\$CUDA_VISIBLE_DEVICES"\n' | sbatch --parsable -J login-test -N2 --gres=gpu:h100:2 -o "$HOME/out.%j"
                """, Ct);
            submitted.ExitCode.ShouldBe(0, submitted.Error.Text());
            var id = int.Parse(submitted.Output.Text());

            var state = "";
            await Condition.UntilAsync($"job {id} is completed", async () =>
                (state = (await node.RunAsync($"squeue -h -t all -j {id} -o '%T %u %R'", Ct)).Output.Text()).StartsWith("COMPLETED", StringComparison.Ordinal),
                explain: async () => $"{state}\n{await _cluster.LogsAsync()}");
            state.ShouldStartWith($"COMPLETED {user.Name} ");
            (await node.RunAsync($"sort out.{id}", Ct)).Output.Text().ShouldMatch("^0 gpu[1-4] 0,1\n1 gpu[1-4] 0,1\n$");
            await Condition.UntilAsync($"accounting knows the end of job {id}", async () =>
                (await node.RunAsync($"sacct -X -n -P -D -j {id} -o State,ExitCode,User", Ct)).Output.Text() == $"COMPLETED|0:0|{user.Name}\n");
        }
    }
}
