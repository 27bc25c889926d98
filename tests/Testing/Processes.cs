using System.Diagnostics;
using System.Globalization;

namespace Trestle.Testing;

/// <summary>A process of this machine, as /proc shows it.</summary>
public sealed record RunningProcess(int Id, string CommandLine, string Environment, string Directory, IReadOnlyList<string> Mounted)
{
    /// <summary>Also when it runs in a sandbox, whose inside knows the text only as where its volumes come from.</summary>
    public bool Concerns(string text) => CommandLine.Contains(text, StringComparison.Ordinal)
        || Environment.Contains(text, StringComparison.Ordinal) || Directory.StartsWith(text, StringComparison.Ordinal)
        || Mounted.Any(root => root.StartsWith(text, StringComparison.Ordinal));

    public bool Has(string variable, string value) => Environment.Split('\0').Contains($"{variable}={value}", StringComparer.Ordinal);

    public override string ToString() => $"{Id} {CommandLine.Replace('\0', ' ')} (in {Directory})";
}

/// <summary>Looks at processes and sends signals, by number only.</summary>
public static class Processes
{
    /// <summary>Every process whose command line, environment, directory or volumes name the text, except this one.</summary>
    public static IReadOnlyList<RunningProcess> Naming(string text) =>
        [.. All().Where(process => process.Id != Environment.ProcessId && process.Concerns(text))];

    public static bool IsRunning(int id) => Read(id) is not null;

    public static void Signal(int id, string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static IEnumerable<RunningProcess> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Read(id) is { } process)
            {
                yield return process;
            }
        }
    }

    private static RunningProcess? Read(int id)
    {
        try
        {
            var root = $"/proc/{id.ToString(CultureInfo.InvariantCulture)}";
            var stat = File.ReadAllText($"{root}/stat");
            var state = stat[(stat.LastIndexOf(')') + 2)..];
            // A zombie holds nothing any more; it only waits for its parent to look.
            return state[0] == 'Z' ? null : new RunningProcess(id, File.ReadAllText($"{root}/cmdline"), File.ReadAllText($"{root}/environ"),
                new FileInfo($"{root}/cwd").LinkTarget ?? "", [.. File.ReadLines($"{root}/mountinfo").Select(line => line.Split(' ')[3])]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
