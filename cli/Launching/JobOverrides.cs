using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Launching;

/// <summary>What the command line says, written into a spec.</summary>
internal static class JobOverrides
{
    public static void Apply(TrainingJobSpec spec, LaunchOverrides overrides)
    {
        spec.Nodes = overrides.Nodes ?? spec.Nodes;
        spec.Image = overrides.Image ?? spec.Image;
        spec.TimeLimit = overrides.TimeLimit ?? spec.TimeLimit;
        Resources(spec, overrides);
        if (overrides.Priority is not null || overrides.Queue is not null)
        {
            spec.Scheduling ??= new Scheduling();
            spec.Scheduling.Priority = overrides.Priority ?? spec.Scheduling.Priority;
            spec.Scheduling.Queue = overrides.Queue ?? spec.Scheduling.Queue;
        }

        if (overrides.MaxRestarts is { } restarts)
        {
            spec.Recovery ??= new Recovery();
            spec.Recovery.MaxRestarts = restarts;
        }

        foreach (var (name, value) in overrides.Env)
        {
            SetEnv(spec, new EnvVar { Name = name, Value = value });
        }
    }

    public static void AddSecrets(TrainingJobSpec spec, string secret, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            SetEnv(spec, new EnvVar { Name = name, ValueFrom = new EnvVarSource { SecretKeyRef = new KeySelector { Name = secret, Key = name } } });
        }
    }

    private static void Resources(TrainingJobSpec spec, LaunchOverrides overrides)
    {
        if (overrides is { Gpus: null, Cpus: null, Memory: null })
        {
            return;
        }

        spec.Resources ??= new Resources();
        spec.Resources.Accelerators = overrides.Gpus is "0" or "none" ? null : overrides.Gpus ?? spec.Resources.Accelerators;
        spec.Resources.Cpus = overrides.Cpus ?? spec.Resources.Cpus;
        spec.Resources.Memory = overrides.Memory ?? spec.Resources.Memory;
    }

    private static void SetEnv(TrainingJobSpec spec, EnvVar variable)
    {
        spec.Env ??= [];
        spec.Env.RemoveAll(other => other.Name == variable.Name);
        spec.Env.Add(variable);
    }
}
