namespace Trestle.Local.Plane;

/// <summary>Paths of a state directory.</summary>
internal sealed record PlaneDirectory(string Root)
{
    public string Kubeconfig => Path.Combine(Root, "kubeconfig");

    public string Settings => Path.Combine(Root, "plane.json");

    public string Run => Path.Combine(Root, "run");

    public string Ready => Path.Combine(Run, "ready");

    public string Lock => Path.Combine(Run, "supervisor.lock");

    public string Logs => Path.Combine(Root, "logs");

    public string Bin => Path.Combine(Root, "bin");

    public string Nodes => Path.Combine(Root, "nodes");

    public string Objects => Path.Combine(Root, "objects");

    /// <summary>The given directory, else <c>$XDG_STATE_HOME/trestle</c>, else <c>~/.local/state/trestle</c>.</summary>
    public static PlaneDirectory Resolve(string? given)
    {
        if (given is { Length: > 0 }) return new PlaneDirectory(Path.TrimEndingDirectorySeparator(Path.GetFullPath(given)));
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return new PlaneDirectory(Path.Combine(state, "trestle"));
    }

    public string Log(string part) => Path.Combine(Logs, part + ".log");

    public PidFile Pid(string part) => new(Path.Combine(Run, part + ".pid"));

    /// <summary>Makes the directories, readable by their owner only.</summary>
    public void Create()
    {
        const UnixFileMode mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(Root, mine);
        File.SetUnixFileMode(Root, mine);
        foreach (var directory in new[] { Run, Logs, Bin, Nodes, Objects }) Directory.CreateDirectory(directory);
    }
}
