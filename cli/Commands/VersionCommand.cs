using System.CommandLine;
using System.Reflection;

namespace Trestle.Cli.Commands;

internal static class VersionCommand
{
    public static string Version { get; } =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    public static Command Build(CliHost host)
    {
        var command = new Command("version", "Print the version.");
        command.SetAction(_ => host.Out.WriteLine($"trestle {Version}"));
        return command;
    }
}
