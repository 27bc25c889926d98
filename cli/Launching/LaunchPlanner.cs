using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Launching;

/// <summary>Manifests and what the user changed → the objects to create. Pure: no cluster, no files, no clock.</summary>
internal static class LaunchPlanner
{
    /// <param name="read">What the files said.</param>
    /// <param name="overrides">What the command line said.</param>
    /// <param name="scene">Where it happens.</param>
    /// <param name="workdirs">Packed local working directories by path as written in the file.</param>
    public static LaunchPlan Plan(
        LaunchInput read, LaunchOverrides overrides, LaunchScene scene, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> workdirs)
    {
        var wanted = read.Objects.Where(IsLaunched).ToArray();
        RefuseWhatDoesNotFit(wanted, overrides);
        var before = new List<LaunchOperation>();
        var names = wanted.Where(other => other is not InferenceService).Select(WrittenName).ToHashSet(StringComparer.Ordinal);
        var secrets = read.Objects.OfType<V1Secret>().Where(secret => OwnerOf(secret).Length > 0 && names.Contains(OwnerOf(secret))).ToArray();
        foreach (var other in read.Objects.Where(other => !IsLaunched(other)).Except(secrets))
        {
            before.Add(new LaunchOperation(Placed(other, scene), OnlyIfMissing: other is Storage));
        }

        before.AddRange(read.Storages.Where(storage => !read.Objects.OfType<Storage>().Any(own => own.Metadata.Name == storage.Metadata.Name))
            .Select(storage => new LaunchOperation(OnThisMachine(storage, scene), OnlyIfMissing: true)));

        var launched = new List<LaunchOperation>();
        foreach (var job in wanted)
        {
            var own = job is InferenceService ? [] : secrets.Where(secret => OwnerOf(secret) == WrittenName(job)).ToArray();
            var operation = Launch(job, overrides, scene);
            before.AddRange(own.Select(secret => Owned(secret, operation, scene)));
            before.AddRange(Workdirs(operation, read, scene, workdirs));
            before.AddRange(Secret(operation, overrides, scene));
            launched.Add(operation);
        }

        RefuseSameNames([.. before, .. launched]);
        return new LaunchPlan([.. before, .. launched]);
    }

    private static bool IsLaunched(IKubernetesObject<V1ObjectMeta> other) => other is TrainingJob or JobGroup or InferenceService;

    private static void RefuseWhatDoesNotFit(IKubernetesObject<V1ObjectMeta>[] launched, LaunchOverrides overrides)
    {
        if (launched.Length == 0)
        {
            throw CliException.Usage("there is nothing to launch; give a file with a TrainingJob, a JobGroup or an InferenceService, or a command after '--'");
        }

        if (overrides.Name is not null && launched.Length > 1)
        {
            throw CliException.Usage($"--name can't name {launched.Length} jobs or services; launch them one by one");
        }

        if (overrides.SingleJobOption is { } option && launched.OfType<JobGroup>().FirstOrDefault() is { } group)
        {
            throw CliException.Usage($"{option} would change every task of the group {group.Metadata.Name}; change it in the file");
        }

        if (overrides.JobOption is { } ofJobs && launched.All(other => other is InferenceService))
        {
            throw CliException.Usage($"{ofJobs} changes jobs, and {WrittenName(launched[0])} is a service; change it in the file");
        }
    }

    private static LaunchOperation Launch(IKubernetesObject<V1ObjectMeta> job, LaunchOverrides overrides, LaunchScene scene)
    {
        var meta = job.Metadata ??= new V1ObjectMeta();
        Placed(job, scene);
        meta.Name = overrides.Name ?? (string.IsNullOrEmpty(meta.Name) || (scene.InsidePod && job is not InferenceService) ? NewName(meta, scene) : meta.Name);
        meta.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal);
        meta.Annotations[Annotations.User] = scene.User;
        foreach (var spec in Specs(job))
        {
            JobOverrides.Apply(spec, overrides);
        }

        if (job is not InferenceService) InfraOverride.Apply(job, overrides.Infra);

        if (job is TrainingJob single && scene.JobGroup is { } group)
        {
            single.Spec.Group = group;
        }

        return new LaunchOperation(job);
    }

    // A watcher launches the same file again and again. The name of a service is its address, and so stays.
    private static string NewName(V1ObjectMeta meta, LaunchScene scene)
    {
        var stem = meta.Name ?? meta.GenerateName?.TrimEnd('-') ?? "job";
        meta.GenerateName = null;
        return $"{stem[..Math.Min(stem.Length, 50)]}-{scene.Suffix}";
    }

    private static IEnumerable<IHasWorkdir> Workplaces(IKubernetesObject<V1ObjectMeta> job) =>
        Specs(job).Concat<IHasWorkdir>(job switch
        {
            JobGroup group => group.Spec.Tasks.Select(task => task.Service).OfType<InferenceServiceSpec>(),
            InferenceService service => [service.Spec],
            _ => [],
        });

    private static IEnumerable<TrainingJobSpec> Specs(IKubernetesObject<V1ObjectMeta> job) => job switch
    {
        TrainingJob single => [single.Spec],
        JobGroup group => group.Spec.Tasks.Where(task => task.Job is not null).Select(task => task.Job!),
        _ => [],
    };

    private static string WrittenName(IKubernetesObject<V1ObjectMeta> job) => job.Metadata?.Name ?? job.Metadata?.GenerateName?.TrimEnd('-') ?? "";

    private static string OwnerOf(V1Secret secret) =>
        secret.Metadata.Labels is { } labels && (labels.TryGetValue(Labels.JobName, out var owner) || labels.TryGetValue(Labels.JobGroup, out owner)) ? owner : "";

    // The secrets of a file belong to one launch of it: a name of their own, and gone with the job.
    private static LaunchOperation Owned(V1Secret secret, LaunchOperation job, LaunchScene scene)
    {
        var (before, after) = (secret.Metadata.Name, $"{secret.Metadata.Name}-{scene.Suffix}");
        foreach (var reference in Specs(job.Object).SelectMany(spec => spec.Env ?? []).Select(variable => variable.ValueFrom?.SecretKeyRef).OfType<KeySelector>())
        {
            reference.Name = reference.Name == before ? after : reference.Name;
        }

        secret.Metadata.Name = after;
        secret.Metadata.Labels.Remove(Labels.JobName);
        secret.Metadata.Labels.Remove(Labels.JobGroup);
        secret.Metadata.Labels[job.Object is JobGroup ? Labels.JobGroup : Labels.JobName] = job.Name;
        return new LaunchOperation(Placed(secret, scene), OwnedBy: job.Name);
    }

    private static IKubernetesObject<V1ObjectMeta> Placed(IKubernetesObject<V1ObjectMeta> other, LaunchScene scene)
    {
        other.Metadata.NamespaceProperty = string.IsNullOrEmpty(other.Metadata.NamespaceProperty) ? scene.Namespace : other.Metadata.NamespaceProperty;
        return other;
    }

    private static Storage OnThisMachine(Storage storage, LaunchScene scene)
    {
        Placed(storage, scene);
        if (scene.ObjectRoot is { } root)
        {
            storage.Spec.S3 = null;
            storage.Spec.File = new FileStorage { Path = $"{root.TrimEnd('/')}/{storage.Metadata.Name}" };
        }

        return storage;
    }

    private static IEnumerable<LaunchOperation> Workdirs(
        LaunchOperation job, LaunchInput read, LaunchScene scene, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> workdirs)
    {
        var made = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (spec, path) in read.LocalWorkdirs.Where(local => Workplaces(job.Object).Contains(local.Spec)))
        {
            if (!made.TryGetValue(path, out var name))
            {
                made[path] = name = $"{job.Name}-workdir-{made.Count}-{scene.Suffix}";
                var map = new V1ConfigMap
                {
                    ApiVersion = "v1",
                    Kind = "ConfigMap",
                    Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = job.Object.Metadata.NamespaceProperty },
                    Data = new Dictionary<string, string>(workdirs[path], StringComparer.Ordinal),
                    Immutable = true,
                };
                yield return new LaunchOperation(map, OwnedBy: job.Name);
            }

            spec.Workdir = new Workdir { ConfigMap = new ConfigMapWorkdir { Name = name } };
        }
    }

    private static IEnumerable<LaunchOperation> Secret(LaunchOperation job, LaunchOverrides overrides, LaunchScene scene)
    {
        if (overrides.Secrets.Count == 0 || job.Object is InferenceService)
        {
            yield break;
        }

        var name = $"{job.Name}-env-{scene.Suffix}";
        foreach (var spec in Specs(job.Object))
        {
            JobOverrides.AddSecrets(spec, name, overrides.Secrets.Keys);
        }

        yield return new LaunchOperation(
            new V1Secret
            {
                ApiVersion = "v1",
                Kind = "Secret",
                Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = job.Object.Metadata.NamespaceProperty },
                StringData = new Dictionary<string, string>(overrides.Secrets, StringComparer.Ordinal),
            },
            OwnedBy: job.Name);
    }

    private static void RefuseSameNames(IReadOnlyList<LaunchOperation> operations)
    {
        var twice = operations.GroupBy(operation => (operation.Object.Kind, operation.Object.Metadata.NamespaceProperty, operation.Name))
            .FirstOrDefault(same => same.Count() > 1);
        if (twice is not null)
        {
            throw new CliException($"the name {twice.Key.Name} is given to {twice.Count()} objects of kind {twice.Key.Kind}; rename one of them");
        }
    }
}
