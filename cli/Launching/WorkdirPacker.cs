using System.Text;

namespace Trestle.Cli.Launching;

/// <summary>A local working directory as the data of one ConfigMap: small text files side by side.</summary>
internal static class WorkdirPacker
{
    /// <summary>A ConfigMap holds 1 MiB (Kubernetes, core/v1 MaxSecretSize); names and the object's own bytes need a little.</summary>
    public const int MaxBytes = 1_000_000;

    /// <summary>File name → text, without what .skyignore (or else .gitignore) names.</summary>
    public static IReadOnlyDictionary<string, string> Pack(string directory)
    {
        if (!Directory.Exists(directory))
        {
            throw new CliException($"workdir {directory} is not a directory; correct workdir or create it");
        }

        var rules = Rules(directory);
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var total = 0L;
        foreach (var entry in Entries(directory, "", rules))
        {
            total += entry.File.Length;
            if (total > MaxBytes)
            {
                throw UseGit($"workdir {directory} holds more than {MaxBytes / 1000} KB");
            }

            files[Key(entry.Path, directory)] = Text(entry.Path, entry.File, directory);
        }

        return files.Count > 0 ? files : throw new CliException($"workdir {directory} holds no files; correct workdir or leave it out");
    }

    private static IEnumerable<(string Path, FileInfo File)> Entries(string directory, string prefix, IgnoreRules rules)
    {
        foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var path = prefix + entry.Name;
            // A link may lead out of the directory; what it points at is not part of it.
            if (entry.Name is ".git" or "__pycache__" or ".skyignore" or ".gitignore"
                || entry.LinkTarget is not null || rules.Ignores(path, entry is DirectoryInfo))
            {
                continue;
            }

            if (entry is FileInfo file)
            {
                yield return (path, file);
                continue;
            }

            foreach (var below in Entries(entry.FullName, path + "/", rules))
            {
                yield return below;
            }
        }
    }

    private static string Key(string path, string directory) =>
        path.Contains('/', StringComparison.Ordinal)
            ? throw UseGit($"workdir {directory} has files in directories ({path}), which a ConfigMap can't hold")
            : path.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')
                ? path
                : throw UseGit($"the file name '{Output.Printable.Line(path)}' in workdir {directory} has characters that a ConfigMap can't hold");

    private static string Text(string path, FileInfo file, string directory)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(file.FullName));
            return text.Contains('\0', StringComparison.Ordinal) ? throw UseGit($"{path} in workdir {directory} is not text") : text;
        }
        catch (DecoderFallbackException)
        {
            throw UseGit($"{path} in workdir {directory} is not text");
        }
    }

    private static CliException UseGit(string what) =>
        new($"{what}; name what is not needed in .skyignore, or put it in a git repository and set workdir to its URL");

    private static IgnoreRules Rules(string directory)
    {
        string[] names = [".skyignore", ".gitignore"];
        var file = names.Select(name => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
        return IgnoreRules.Parse(file is null ? [] : File.ReadAllLines(file));
    }
}
