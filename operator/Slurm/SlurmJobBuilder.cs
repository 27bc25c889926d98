using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Slurm;

/// <summary>An attempt of a job → the SlurmJob that runs it. Pure.</summary>
internal static class SlurmJobBuilder
{
    private static readonly ResourceKind JobKind = ResourceKind.Of<TrainingJob>();

    /// <summary>Name of the SlurmJob of an attempt.</summary>
    public static string Name(string job, int attempt) => string.Create(CultureInfo.InvariantCulture, $"{job}-a{attempt}");

    /// <summary>The SlurmJob.</summary>
    /// <exception cref="LaunchRefusedException">The job needs what is not there.</exception>
    public static SlurmJob Build(SlurmInput input)
    {
        var job = input.Job;
        return new SlurmJob
        {
            Metadata = new V1ObjectMeta
            {
                Name = Name(job.Metadata.Name, input.Attempt),
                NamespaceProperty = job.Metadata.NamespaceProperty,
                Labels = LabelsOf(input),
                OwnerReferences = [job.AsController(JobKind)],
            },
            Spec = new SlurmJobSpec
            {
                Cluster = input.Place.Cluster,
                Job = job.Metadata.Name,
                JobUid = job.Metadata.Uid,
                Attempt = input.Attempt,
                Nodes = job.NodeCount,
                Script = SlurmScript.Build(input),
                Options = [.. Options(input)],
                SecretRefs = [.. Secrets(input).Distinct(StringComparer.Ordinal).Select(name => new NameReference { Name = name })],
                GraceSeconds = (int)Grace(job.Spec).TotalSeconds,
            },
        };
    }

    private static Dictionary<string, string> LabelsOf(SlurmInput input)
    {
        var job = input.Job;
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Labels.ManagedBy] = Labels.ManagedByValue,
            [Labels.JobUid] = job.Metadata.Uid,
            [Labels.JobName] = job.Metadata.Name,
            [Labels.Attempt] = input.Attempt.ToString(CultureInfo.InvariantCulture),
        };
        if ((job.TaskGroup ?? job.Spec.Group) is { } group) labels[Labels.JobGroup] = group;
        if (job.TaskName is { } task) labels[Labels.Task] = task;
        return labels;
    }

    /// <summary>Names of the Secrets that its variables come from, the one that lets git in, and those of the buckets it mounts.</summary>
    public static IEnumerable<string> Secrets(SlurmInput input) =>
        Secrets(input.Job.Spec).Concat(BucketMount.Of(input.Job, input.Storages).Select(mount => mount.Bucket.CredentialsSecretRef?.Name).OfType<string>());

    private static IEnumerable<string> Secrets(TrainingJobSpec spec) =>
        (spec.Env ?? []).Select(variable => variable.ValueFrom?.SecretKeyRef?.Name).Concat((spec.EnvFrom ?? []).Select(source => source.SecretRef?.Name)).Append(spec.Workdir?.Git?.SecretRef?.Name).OfType<string>();

    /// <summary>Names of the ConfigMaps that it reads.</summary>
    public static IEnumerable<string> ConfigMaps(TrainingJobSpec spec) =>
        (spec.Env ?? []).Select(variable => variable.ValueFrom?.ConfigMapKeyRef?.Name)
            .Concat((spec.EnvFrom ?? []).Select(source => source.ConfigMapRef?.Name))
            .Append(spec.Workdir?.ConfigMap?.Name).OfType<string>().Distinct(StringComparer.Ordinal);

    // The job's own options come last, so that sbatch takes them where both say something.
    private static IEnumerable<string> Options(SlurmInput input)
    {
        var (spec, place, defaults) = (input.Job.Spec, input.Place, input.Cluster.Spec.Defaults);
        yield return $"--nodes={Text(input.Job.NodeCount)}";
        yield return "--ntasks-per-node=1";
        if ((place.Partition ?? defaults?.Partition) is { } partition) yield return $"--partition={partition}";
        if ((place.Account ?? defaults?.Account) is { } account) yield return $"--account={account}";
        if ((place.Qos ?? defaults?.Qos) is { } qos) yield return $"--qos={qos}";
        if (input.Job.Accelerators is { } gpus) yield return $"--gres=gpu:{gpus.Name.ToLowerInvariant()}:{Text(gpus.Count)}";
        if (spec.Resources?.Cpus is { } cpus) yield return $"--cpus-per-task={Text((int)Math.Ceiling(new ResourceQuantity(cpus).ToDecimal()))}";
        if (spec.Resources?.Memory is { } memory) yield return $"--mem={Text((long)Math.Ceiling(new ResourceQuantity(memory).ToDecimal() / (1024 * 1024)))}M";
        if (spec.TimeLimit is { } limit) yield return $"--time={Text((int)Math.Ceiling(Duration.Parse(limit).TotalMinutes))}";
        yield return $"--signal=B:TERM@{Text((int)Grace(spec).TotalSeconds)}";
        if (Avoided(input) is { Count: > 0 } avoided) yield return $"--exclude={string.Join(',', avoided.Order(StringComparer.Ordinal))}";
        foreach (var option in place.Options ?? []) yield return option;
    }

    // Slurm refuses what can't be had without the avoided nodes, so that they are used where the others don't suffice.
    private static IReadOnlyCollection<string> Avoided(SlurmInput input)
    {
        var avoided = NodeAvoidance.Of(input.Job.Status);
        var asked = input.Place.Partition ?? input.Cluster.Spec.Defaults?.Partition;
        var partitions = (input.Cluster.Status?.Partitions ?? []).Where(partition => asked is null || partition.Name == asked).ToList();
        return partitions.Count == 0 || partitions.Exists(partition => partition.Nodes is not { } nodes || nodes - avoided.Count >= input.Job.NodeCount) ? [.. avoided] : [];
    }

    /// <summary>From TERM to the end.</summary>
    public static TimeSpan Grace(TrainingJobSpec spec) => Duration.ParseOr(spec.TerminationGracePeriod, TimeSpan.FromSeconds(60));

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
