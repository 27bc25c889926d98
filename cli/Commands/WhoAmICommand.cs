using System.CommandLine;
using Trestle.Cli.Connection;

namespace Trestle.Cli.Commands;

internal static class WhoAmICommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions();
        var command = new Command("whoami", "Who you are to the cluster, and which cluster it is.");
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            var (user, groups) = await connection.WhoAmIAsync(cancellation);
            await host.Out.WriteLineAsync($"user:      {Output.Printable.Line(user)}");
            await host.Out.WriteLineAsync($"groups:    {Output.Printable.Line(string.Join(", ", groups))}");
            await host.Out.WriteLineAsync($"server:    {connection.Server}");
            await host.Out.WriteLineAsync($"context:   {connection.Context ?? "-"}");
            await host.Out.WriteLineAsync($"namespace: {connection.Namespace}");
            return ExitCode.Ok;
        });
        return command;
    }
}
