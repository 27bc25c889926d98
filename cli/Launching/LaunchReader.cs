using System.Text;
using k8s;
using k8s.Models;
using Trestle.Api.Manifests;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Launching;

/// <summary>What the files of one launch hold together.</summary>
/// <param name="Objects">In the order of the files.</param>
/// <param name="Storages">Storages that mounts name and no file describes.</param>
/// <param name="LocalWorkdirs">Working directories on this machine, with the spec that wants them.</param>
internal sealed record LaunchInput(
    IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Objects,
    IReadOnlyList<Storage> Storages,
    IReadOnlyList<(IHasWorkdir Spec, string Path)> LocalWorkdirs)
{
    /// <summary>What became of each line of a foreign format, for people.</summary>
    public IReadOnlyList<string> Report { get; init; } = [];
}

/// <summary>Reads the files of a launch, or makes a job of a command line.</summary>
internal static class LaunchReader
{
    /// <summary>A real API server takes 3 MiB a request; etcd behind it 1.5 MiB.</summary>
    private const int MaxBytes = 3 * 1024 * 1024;

    public static LaunchInput Read(IReadOnlyList<string> files, IReadOnlyList<string> command, LaunchOverrides overrides, CliHost host)
    {
        if (files.Count == 0 && command.Count == 0)
        {
            throw CliException.Usage("what to launch? Give a file, or a command after '--', e.g. trestle launch --name hello -- echo hello");
        }

        if (files.Count > 0 && command.Count > 0)
        {
            throw CliException.Usage("give files or a command after '--', not both");
        }

        return command.Count > 0 ? FromCommand(command, overrides) : FromFiles(files, [.. overrides.Env.Keys, .. overrides.Secrets.Keys], host);
    }

    private static LaunchInput FromCommand(IReadOnlyList<string> command, LaunchOverrides overrides) => new(
        [
            new TrainingJob
            {
                Metadata = new V1ObjectMeta { Name = overrides.Name },
                Spec = new TrainingJobSpec { Run = ShellWords.ToScript(command) },
            },
        ],
        [],
        []);

    private static LaunchInput FromFiles(IReadOnlyList<string> files, IReadOnlyCollection<string> given, CliHost host)
    {
        var results = files.Select(file => (File: file, Result: ReadOne(file, given, host))).ToArray();
        var errors = results.SelectMany(read => read.Result.Errors).ToArray();
        if (errors.Length > 0)
        {
            throw new CliException(errors[0].ToString()) { Also = [.. errors.Skip(1).Select(error => error.ToString())] };
        }

        return new LaunchInput(
            [.. results.SelectMany(read => read.Result.Objects)],
            [.. results.SelectMany(read => read.Result.Storages).DistinctBy(storage => storage.Metadata.Name)],
            [.. results.SelectMany(read => read.Result.LocalWorkdirs.Select(local => (local.Spec, Beside(read.File, local.Path, read.Result.IsRelativeToFile, host))))])
        {
            Report = [.. results.SelectMany(read => read.Result.Report.Select(line => line.ToString()))],
        };
    }

    private static ManifestResult ReadOne(string file, IReadOnlyCollection<string> given, CliHost host) =>
        ManifestReader.Read(Text(file, host), file == "-" ? "standard input" : file, given);

    private static string Text(string file, CliHost host)
    {
        if (file == "-")
        {
            return host.In.ReadToEnd();
        }

        var path = host.FullPath(file);
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw new CliException($"{file} is larger than the API takes (3 MiB); move scripts and data into a workdir or a storage");
            }

            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path));
        }
        catch (DecoderFallbackException)
        {
            throw new CliException($"{file} is not a text file; give a YAML file, or run a program with: trestle launch -- {file}", ExitCode.Usage);
        }
        catch (FileNotFoundException)
        {
            throw new CliException($"there is no file {file}; check the path", ExitCode.Usage);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"can't read {file} ({error.Message.TrimEnd('.')}); give a readable file", ExitCode.Usage);
        }
    }

    // SkyPilot's workdir is relative to where one types the command; the file's own directory is what people mean who type it elsewhere.
    private static string Beside(string file, string path, bool isOfFile, CliHost host)
    {
        var fromHere = host.FullPath(path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(host.Variable("HOME") ?? "/", path[2..]) : path);
        if (file == "-" || (!isOfFile && Directory.Exists(fromHere)) || path.StartsWith("~/", StringComparison.Ordinal))
        {
            return fromHere;
        }

        return Path.GetFullPath(path, Path.GetDirectoryName(host.FullPath(file))!);
    }

    public static string ToYaml(LaunchInput input) => ManifestWriter.Write([.. input.Objects, .. input.Storages]);
}
