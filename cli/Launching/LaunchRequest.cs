namespace Trestle.Cli.Launching;

/// <summary>What the user changed on the command line; null leaves the file's value.</summary>
internal sealed record LaunchOverrides
{
    public string? Name { get; init; }

    public int? Nodes { get; init; }

    /// <summary>TYPE:COUNT for each node.</summary>
    public string? Gpus { get; init; }

    public string? Cpus { get; init; }

    public string? Memory { get; init; }

    public string? Image { get; init; }

    public int? Priority { get; init; }

    public string? Queue { get; init; }

    public string? TimeLimit { get; init; }

    public int? MaxRestarts { get; init; }

    /// <summary>Where to run, in place of what the file says.</summary>
    public IReadOnlyList<InfraOverride> Infra { get; init; } = [];

    /// <summary>Set for every task of a group.</summary>
    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Name → value from the user's own environment; reaches the job through a Secret.</summary>
    public IReadOnlyDictionary<string, string> Secrets { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Options that say something about one job and so can't be given for a group.</summary>
    public string? SingleJobOption =>
        Nodes is not null ? "--nodes"
        : Gpus is not null ? "--gpus"
        : Cpus is not null ? "--cpus"
        : Memory is not null ? "--memory"
        : Image is not null ? "--image"
        : Priority is not null ? "--priority"
        : Queue is not null ? "--queue"
        : TimeLimit is not null ? "--time-limit"
        : MaxRestarts is not null ? "--max-restarts"
        : null;

    /// <summary>Options that say something about jobs and so can't be given for a service.</summary>
    public string? JobOption =>
        SingleJobOption
        ?? (Infra.Count > 0 ? "--infra"
        : Env.Count > 0 ? "--env"
        : Secrets.Count > 0 ? "--secret"
        : null);
}

/// <summary>Where a launch happens: what the planner must know and may not look up.</summary>
/// <param name="Namespace">Namespace of objects that name none.</param>
/// <param name="User">Who launches.</param>
/// <param name="ObjectRoot">Directory for storages on one machine; null on a cluster.</param>
/// <param name="JobGroup">Group that launched jobs attach to; null outside one.</param>
/// <param name="InsidePod">Called from a task: a name of its own for every call unless --name says otherwise.</param>
/// <param name="Suffix">Random characters for names that must be new.</param>
internal sealed record LaunchScene(string Namespace, string User, string? ObjectRoot, string? JobGroup, bool InsidePod, string Suffix);
