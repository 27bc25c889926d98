using System.CommandLine;

namespace Trestle.Cli.Commands;

/// <summary>A script for the shell that asks this program what may come next.</summary>
internal static class CompletionCommand
{
    public const string SuggestName = "__complete";

    private const string Bash = """
        # trestle completion for bash: source <(trestle completion bash)
        _trestle() {
            local IFS=$'\n'
            COMPREPLY=($(trestle __complete "$COMP_POINT" "$COMP_LINE" 2>/dev/null))
        }
        complete -o default -F _trestle trestle kubectl-trestle
        """;

    private const string Zsh = """
        #compdef trestle kubectl-trestle
        # trestle completion for zsh: source <(trestle completion zsh)
        _trestle() {
            local -a words_found
            words_found=("${(@f)$(trestle __complete "$CURSOR" "$BUFFER" 2>/dev/null)}")
            compadd -a words_found
            (( ${#words_found} )) || _files
        }
        compdef _trestle trestle kubectl-trestle
        """;

    public static Command Build(CliHost host)
    {
        var shell = new Argument<string>("shell") { Description = "bash or zsh" };
        shell.AcceptOnlyFromAmong("bash", "zsh");
        var command = new Command("completion", "Print a completion script for the shell.") { shell };
        command.SetAction(parsed => host.Out.WriteLine(parsed.GetRequiredValue(shell) == "zsh" ? Zsh : Bash));
        return command;
    }

    public static Command BuildSuggest(CliHost host)
    {
        var position = new Argument<int>("position");
        var line = new Argument<string>("line");
        var command = new Command(SuggestName, "Print what may come next.") { position, line };
        command.SetAction(parsed =>
        {
            var text = parsed.GetRequiredValue(line);
            var at = Math.Clamp(parsed.GetRequiredValue(position), 0, text.Length);
            foreach (var label in Suggest(text[..at], host))
            {
                host.Out.WriteLine(label);
            }
        });
        return command;
    }

    internal static IEnumerable<string> Suggest(string line, CliHost host)
    {
        // The program's own name is the first word, whatever it is called.
        var rest = line.TrimStart().Split(' ', 2) is [_, var tail] ? tail : "";
        return CommandTree.Build([], [], host).Parse(rest).GetCompletions(rest.Length).Select(completion => completion.Label)
            .Where(label => !label.StartsWith('/') && label is not ("-?" or "-h"));
    }
}
