using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Launch;

/// <summary>The container of the user's scripts. Pure.</summary>
internal static class MainContainer
{
    public static V1Container Build(TrainingJob job, string? image, IEnumerable<V1VolumeMount> mounts, V1EnvVar? own) => new()
    {
        Name = Names.MainContainer,
        Image = image,
        Command = ["/bin/sh", $"{Paths.Scripts}/{Scripts.Launch}"],
        TerminationMessagePolicy = "FallbackToLogsOnError",
        Env = own is null ? job.Spec.Env?.Select(Variable).ToList() : [.. (job.Spec.Env ?? []).Select(Variable), own],
        EnvFrom = job.Spec.EnvFrom?.Select(Whole).ToList(),
        Resources = Resources(job.Spec.Resources, job.Accelerators),
        VolumeMounts = [.. mounts],
    };

    // Memory is a limit too, so that a leak ends this rank and not its neighbours; devices can't be promised twice.
    internal static V1ResourceRequirements Resources(Resources? asked, Accelerators? accelerators)
    {
        var requests = new Dictionary<string, ResourceQuantity>(StringComparer.Ordinal);
        var limits = new Dictionary<string, ResourceQuantity>(StringComparer.Ordinal);
        if (asked?.Cpus is { } cpus) requests["cpu"] = new ResourceQuantity(cpus);
        if (asked?.Memory is { } memory) requests["memory"] = limits["memory"] = new ResourceQuantity(memory);
        if (accelerators is { Count: var count }) requests[Names.GpuResource] = limits[Names.GpuResource] = new ResourceQuantity($"{count}");
        foreach (var (name, amount) in asked?.Extended ?? []) requests[name] = limits[name] = new ResourceQuantity(amount);
        return new V1ResourceRequirements { Requests = requests, Limits = limits };
    }

    internal static V1EnvVar Variable(EnvVar variable) => new()
    {
        Name = variable.Name,
        Value = variable.Value,
        ValueFrom = variable.ValueFrom switch
        {
            { SecretKeyRef: { } secret } => new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = secret.Name, Key = secret.Key, Optional = secret.Optional } },
            { ConfigMapKeyRef: { } map } => new V1EnvVarSource { ConfigMapKeyRef = new V1ConfigMapKeySelector { Name = map.Name, Key = map.Key, Optional = map.Optional } },
            _ => null,
        },
    };

    private static V1EnvFromSource Whole(EnvFromSource source) => new()
    {
        Prefix = source.Prefix,
        SecretRef = source.SecretRef is { } secret ? new V1SecretEnvSource { Name = secret.Name } : null,
        ConfigMapRef = source.ConfigMapRef is { } map ? new V1ConfigMapEnvSource { Name = map.Name } : null,
    };
}
