namespace Trestle.Cli.Tests.Commands;

public sealed class ParsingTests
{
    private readonly CapturedHost _host = new();

    [Fact]
    public async Task Version_prints_one_line()
    {
        (await _host.RunAsync("version")).ShouldBe(ExitCode.Ok);
        _host.OutText.ShouldMatch(@"^trestle \d+\.\d+\.\d+\n$");
    }

    [Fact]
    public async Task No_arguments_show_every_command()
    {
        (await _host.RunAsync()).ShouldBe(ExitCode.Ok);
        foreach (var command in new[] { "launch", "queue", "history", "logs", "describe", "cancel", "suspend", "resume", "retry", "infra", "convert", "local", "completion", "version", "whoami" })
        {
            _host.OutText.ShouldContain(command);
        }

        _host.OutText.ShouldNotContain("__complete");
    }

    [Fact]
    public async Task Help_of_a_command_shows_its_options()
    {
        (await _host.RunAsync("logs", "--help")).ShouldBe(ExitCode.Ok);
        _host.OutText.ShouldContain("--follow");
    }

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("queue", "--frobnicate")]
    [InlineData("queue", "-o", "xml")]
    [InlineData("logs")]
    [InlineData("cancel")]
    [InlineData("launch", "--nodes", "many", "x.yaml")]
    [InlineData("launch")]
    [InlineData("launch", "x.yaml", "--", "echo", "both")]
    [InlineData("launch", "--secret", "TOKEN=abc", "--", "true")]
    [InlineData("launch", "--secret", "NOT_SET_ANYWHERE", "--", "true")]
    [InlineData("launch", "--env", "1BAD=x", "--", "true")]
    [InlineData("logs", "x", "--since", "soon")]
    [InlineData("queue", "--", "echo")]
    [InlineData("local", "up", "--nodes", "0")]
    [InlineData("local", "up", "--gpus", "H100")]
    [InlineData("local", "run", "kitchen", "--state", "x")]
    public async Task Bad_usage_ends_with_2_and_one_sentence_on_standard_error(params string[] args)
    {
        var host = new CapturedHost(variables: new Dictionary<string, string> { ["KUBECONFIG"] = "/nonexistent" });
        (await host.RunAsync(args)).ShouldBe(ExitCode.Usage);
        host.OutText.ShouldBeEmpty();
        host.ErrorText.ShouldStartWith("trestle: ");
        host.ErrorText.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_secret_given_with_its_value_is_not_repeated()
    {
        await _host.RunAsync("launch", "--secret", "TOKEN=hunter2", "--", "true");
        _host.ErrorText.ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task Completion_scripts_ask_the_program()
    {
        (await _host.RunAsync("completion", "bash")).ShouldBe(ExitCode.Ok);
        _host.OutText.ShouldContain("trestle __complete");
    }

    [Theory]
    [InlineData("trestle qu", "queue")]
    [InlineData("trestle logs --fo", "--follow")]
    [InlineData("trestle queue -o js", "json")]
    [InlineData("trestle local node ", "drain")]
    public async Task Completion_knows_commands_options_and_values(string line, string expected)
    {
        (await _host.RunAsync("__complete", line.Length.ToString(), line)).ShouldBe(ExitCode.Ok);
        _host.OutLines.ShouldContain(expected);
    }
}
