using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Storages;

namespace Trestle.Operator.Slurm;

/// <summary>
/// The script of an attempt, the same text each time it is made: writes the files of the attempt into its directory and goes on
/// with batch.sh. Holds no secrets; where one belongs, env.sh names it. Pure.
/// </summary>
internal static class SlurmScript
{
    private static readonly string Batch = Resource("batch.sh");
    private static readonly string Rank = Resource("rank.sh");
    private static readonly string Fetch = Resource("fetch.sh");
    private static readonly string BucketFunctions = Resource("buckets.sh");

    /// <summary>The script.</summary>
    /// <exception cref="LaunchRefusedException">The job needs what is not there.</exception>
    public static string Build(SlurmInput input)
    {
        var (job, spec) = (input.Job, input.Job.Spec);
        var script = new StringBuilder();
        script.Append(CultureInfo.InvariantCulture, $"#!/bin/sh\n# Attempt {input.Attempt} of {job.Metadata.NamespaceProperty}/{job.Metadata.Name}.\numask 077\nmkdir -p \"$TRESTLE_ATTEMPT_DIR/scripts\" || exit 75\n");
        foreach (var (name, text) in Launch.Scripts.Of(spec).Append(new("rank.sh", Rank)).Append(new("env.sh", Environment(input))).Append(new("mounts", Mounts(input))).Append(new("checkpoints", Checkpoints(input))).Concat(Code(spec)).Concat(Buckets(input)).OrderBy(file => file.Key, StringComparer.Ordinal))
            AppendFile(script, $"scripts/{name}", text);
        if (spec.Workdir?.ConfigMap is { } workdir) AppendWorkdir(script, Data(input, workdir.Name, optional: false)!);
        script.Append(CultureInfo.InvariantCulture, $"trestle_nodes={job.NodeCount}\ntrestle_container={input.Cluster.Spec.Container ?? SlurmContainer.Auto}\ntrestle_image={Quote(spec.Image ?? "")}\n");
        script.Append(CultureInfo.InvariantCulture, $"trestle_needs={(SlurmJobBuilder.Secrets(input).Any() ? "secrets" : "")}\n");
        script.Append(CultureInfo.InvariantCulture, $"trestle_hang={(int)Math.Ceiling(job.HangTimeout?.TotalSeconds ?? 0)}\ntrestle_grace={(int)SlurmJobBuilder.Grace(spec).TotalSeconds}\ntrestle_node_program={Quote(input.Cluster.Spec.NodeProgram ?? "trestle-node")}\n");
        script.Append(CultureInfo.InvariantCulture, $"trestle_group={Quote(input.Group?.Metadata.Uid ?? "")}\ntrestle_group_name={Quote(job.TaskGroup ?? "")}\ntrestle_task={Quote(job.TaskName ?? "")}\n");
        return script.Append(Batch).ToString();
    }

    // Prints export lines when rank.sh reads it: the user's variables first, as in a pod, the contract after them.
    private static string Environment(SlurmInput input)
    {
        var (job, spec) = (input.Job, input.Job.Spec);
        var script = new StringBuilder();
        foreach (var source in spec.EnvFrom ?? [])
        {
            if (source.SecretRef is { } secret) script.Append(CultureInfo.InvariantCulture, $"secrets_of {Quote(source.Prefix ?? "")} {Quote(secret.Name)}\n");
            else if (source.ConfigMapRef is { } map) AppendExports(script, Data(input, map.Name, optional: false)!.Where(entry => IsName(entry.Key)).Select(entry => KeyValuePair.Create(source.Prefix + entry.Key, entry.Value)));
        }

        foreach (var variable in spec.Env ?? []) AppendVariable(script, input, variable);
        var facts = AttemptFacts.Of(job, input.Group, input.Attempt, [.. Enumerable.Repeat("", job.NodeCount)]);
        AppendExports(script, LaunchEnvironment.BuildShared(facts with
        {
            Backend = $"slurm/{input.Place.Cluster}",
            HeartbeatFile = null,
            Services = [.. facts.Services.Select(service => service with { EndpointsFile = null })], // nothing keeps a file there current
        }));
        AppendSame(script, LaunchEnvironment.RankNames, "\"$trestle_rank\"");
        AppendSame(script, LaunchEnvironment.HeadNames, "\"$trestle_head\"");
        AppendSame(script, [Variables.NodeIp], "\"$trestle_ip\"");
        AppendSame(script, LaunchEnvironment.AddressesNames, "\"$(cat \"$trestle_dir/addresses\")\"");
        if (CacheMounts.WaitedFor(job, input.Storages) is { } waited) AppendExports(script, [KeyValuePair.Create(waited.Name, waited.Value)]);
        if (job.HangTimeout is not null) AppendSame(script, [Variables.HeartbeatFile], "\"$TRESTLE_ROOT/run/heartbeat\"");
        return script.ToString();
    }

    private static void AppendVariable(StringBuilder script, SlurmInput input, EnvVar variable)
    {
        if (variable.ValueFrom?.SecretKeyRef is { } secret)
            script.Append(CultureInfo.InvariantCulture, $"secret {variable.Name} {Quote($"{secret.Name}/{secret.Key}")} {(secret.Optional == true ? "optional" : "''")}\n");
        else if (variable.ValueFrom?.ConfigMapKeyRef is { } map)
            AppendExports(script, Value(input, map) is { } value ? [KeyValuePair.Create(variable.Name, value)] : []);
        else
            AppendExports(script, [KeyValuePair.Create(variable.Name, variable.Value ?? "")]);
    }

    private static string? Value(SlurmInput input, KeySelector selector)
    {
        if (Data(input, selector.Name, selector.Optional == true)?.TryGetValue(selector.Key, out var value) == true) return value;
        return selector.Optional == true ? null : throw new LaunchRefusedException($"ConfigMap {selector.Name} has no key {selector.Key}; add it, or make the variable optional");
    }

    private static IReadOnlyDictionary<string, string>? Data(SlurmInput input, string name, bool optional) =>
        input.ConfigMaps.GetValueOrDefault(name)
        ?? (optional ? null : throw new LaunchRefusedException($"ConfigMap {name} does not exist in namespace {input.Job.Metadata.NamespaceProperty}; create it"));

    // SOURCE, PATH and rw or ro, with tabs between.
    private static string Mounts(SlurmInput input)
    {
        var script = new StringBuilder();
        var buckets = BucketMount.Of(input.Job, input.Storages).Select(mount => mount.Index).ToHashSet();
        foreach (var (_, mount) in (input.Job.Spec.Mounts ?? []).Index().Where(mount => !buckets.Contains(mount.Index)))
        {
            if (mount.Storage is null || !input.Storages.TryGetValue(mount.Storage, out var storage) || storage.Spec.File is not { } file)
                throw new LaunchRefusedException($"the mount at {mount.Path} needs a Storage with file.path on Slurm; {mount.Storage ?? mount.Source} is none");
            if (mount.Mode == MountMode.Copy) throw new LaunchRefusedException($"the mount at {mount.Path} has mode Copy, which Slurm placements don't do yet; use Mount with readOnly");
            var source = Source(mount, file);
            if (source.Any(char.IsControl) || source.Contains(',', StringComparison.Ordinal) || source.Contains(':', StringComparison.Ordinal))
                throw new LaunchRefusedException($"the path of storage {mount.Storage} can't be mounted on Slurm: it has a control character, ',' or ':'");
            script.Append(source).Append('\t').Append(mount.Path).Append('\t').Append(mount.ReadOnly == true ? "ro" : "rw").Append('\n');
        }

        return script.ToString();
    }

    // A call for each mount of a bucket, and what is called.
    private static IEnumerable<KeyValuePair<string, string>> Buckets(SlurmInput input)
    {
        var calls = new StringBuilder();
        foreach (var mount in BucketMount.Of(input.Job, input.Storages))
        {
            if (mount.IsCopy) throw new LaunchRefusedException($"the mount at {mount.Mount.Path} has mode Copy, which Slurm placements don't do yet; use MountCached with readOnly");
            IEnumerable<string> words =
            [
                mount.Index.ToString(CultureInfo.InvariantCulture), mount.Mount.Path, mount.Mount.ReadOnly == true ? "ro" : "rw",
                mount.Bucket.CredentialsSecretRef?.Name ?? "-",
                mount.Storage.Cache?.Medium is { } medium && medium.StartsWith('/') ? $"{medium.TrimEnd('/')}/{input.Job.Metadata.Uid}" : mount.Storage.Cache?.Medium ?? "LocalSSD",
                .. BucketAccess.Arguments(mount.Bucket, mount.Mount.SubPath), .. CacheMounts.Options(mount),
                "--run", input.Job.Metadata.Uid, "--attempt", input.Attempt.ToString(CultureInfo.InvariantCulture),
                .. input.Job.NodeCount > 1 ? new[] { "--nodes", input.Job.NodeCount.ToString(CultureInfo.InvariantCulture) } : [],
            ];
            if (words.Any(word => word.Any(char.IsControl))) throw new LaunchRefusedException($"the mount at {mount.Mount.Path} has a control character; remove it");
            calls.Append("serve_bucket ").AppendJoin(' ', words.Select(Quote)).Append(CultureInfo.InvariantCulture, $" --name {Quote($"{input.Job.Metadata.Name}-a{input.Attempt}-")}\"$trestle_rank\"");
            if (input.Job.NodeCount > 1) calls.Append(" --rank \"$trestle_rank\"");
            calls.Append('\n');
        }

        return calls.Length == 0 ? [] : [new("buckets.sh", BucketFunctions), new("serve.sh", calls.ToString())];
    }

    private static IEnumerable<KeyValuePair<string, string>> Code(TrainingJobSpec spec)
    {
        if (spec.Workdir?.Git is not { } git) return [];
        string[] lines = [git.Url, git.Ref ?? "", git.Path ?? "", git.SecretRef?.Name ?? ""];
        if (lines.Any(line => line.Any(char.IsControl))) throw new LaunchRefusedException("workdir.git has a control character; remove it");
        return [new("fetch.sh", Fetch), new("code", string.Join('\n', lines) + "\n")];
    }

    // Where the checkpoints are, for whoever looks after the end.
    private static string Checkpoints(SlurmInput input) =>
        input.Job.Spec.Mounts?.Find(mount => mount.Mode == MountMode.MountCached) is { Storage: { } name } mount && input.Storages.GetValueOrDefault(name)?.Spec.File is { } file ? Source(mount, file) + "\n" : "";

    private static string Source(StorageMount mount, FileStorage file) => mount.SubPath is { Length: > 0 } sub ? $"{file.Path.TrimEnd('/')}/{sub}" : file.Path;

    private static void AppendWorkdir(StringBuilder script, IReadOnlyDictionary<string, string> files)
    {
        script.Append("mkdir -p \"$TRESTLE_ATTEMPT_DIR/workdir\" || exit 75\n");
        foreach (var (name, text) in files.OrderBy(file => file.Key, StringComparer.Ordinal)) AppendFile(script, $"workdir/{name}", text);
        script.Append("chmod -R u+x \"$TRESTLE_ATTEMPT_DIR/workdir\"\n");
    }

    // A text can't hold the hash of itself, so that its end can't be in it.
    private static void AppendFile(StringBuilder script, string path, string text)
    {
        var end = $"END-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..24]}";
        script.Append(CultureInfo.InvariantCulture, $"cat >\"$TRESTLE_ATTEMPT_DIR\"/{Quote(path)} <<'{end}' || exit 75\n").Append(text);
        if (!text.EndsWith('\n') && text.Length > 0) script.Append('\n');
        script.Append(end).Append('\n');
    }

    private static void AppendExports(StringBuilder script, IEnumerable<KeyValuePair<string, string>> variables)
    {
        foreach (var (name, value) in variables) script.Append(CultureInfo.InvariantCulture, $"printf 'export %s=' {name}; quote {Quote(value)}; echo\n");
    }

    private static void AppendSame(StringBuilder script, IReadOnlyList<string> names, string value) =>
        script.Append(CultureInfo.InvariantCulture, $"for trestle_name in {string.Join(' ', names)}; do printf 'export %s=' \"$trestle_name\"; quote {value}; echo; done\n");

    private static bool IsName(string text) => text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');

    private static string Quote(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(SlurmScript).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
