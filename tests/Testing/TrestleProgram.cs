namespace Trestle.Testing;

/// <summary>The `trestle` command from this build.</summary>
public static class TrestleProgram
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "trestle.dll");

    public static Command Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? directory = null) =>
        Command.Start("dotnet", [Program, .. arguments], environment, directory);

    public static Task<CommandResult> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, TimeSpan? timeout = null) =>
        Command.RunAsync("dotnet", [Program, .. arguments], environment, timeout);
}
