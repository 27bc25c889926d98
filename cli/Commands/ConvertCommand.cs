using System.CommandLine;
using Trestle.Cli.Launching;

namespace Trestle.Cli.Commands;

/// <summary>Manifest on standard output, what became of every line on standard error. Needs no cluster.</summary>
internal static class ConvertCommand
{
    public static Command Build(CliHost host)
    {
        var file = new Argument<string>("file") { Description = "SkyPilot YAML or Trestle YAML; '-' reads standard input" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "no report" };
        var command = new Command("convert", "Turn a SkyPilot file into Trestle YAML, and say what became of every line.") { file, quiet };
        command.SetAction(parsed =>
        {
            var input = LaunchReader.Read([parsed.GetRequiredValue(file)], [], new LaunchOverrides(), host);
            host.Out.Write(LaunchReader.ToYaml(input));
            if (!parsed.GetValue(quiet))
            {
                foreach (var line in input.Report)
                {
                    host.Error.WriteLine(line);
                }
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
