using System.Diagnostics;
using System.Globalization;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Tests.Fakes;

/// <summary>What becomes of a script on its way.</summary>
internal enum Fault
{
    None,

    /// <summary>It never arrives.</summary>
    LostBefore,

    /// <summary>It runs, and nobody hears its answer.</summary>
    LostAfter,

    /// <summary>A part of it arrives and runs.</summary>
    Cut,

    /// <summary>Its shell is killed in the middle; what that had started goes on.</summary>
    Killed,
}

/// <summary>
/// A model of Slurm behind a login node: scripts are run by the real /bin/sh, with stand-ins for sbatch, squeue, sacct and scancel that
/// keep jobs as files. Answers get lost before and after their effect, jobs are seen late, accounting lags.
/// </summary>
internal sealed class FakeSlurm : ILoginNode, ILoginNodes, IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("fake-slurm-");
    private readonly Lock _lock = new();

    public FakeSlurm()
    {
        Directory.CreateDirectory(PathOf("jobs"));
        Directory.CreateDirectory(PathOf("modes"));
    }

    /// <summary>Decides what becomes of the next script.</summary>
    public Func<Fault> NextFault { get; set; } = () => Fault.None;

    /// <summary>How much of a script arrives, and when its shell is killed: 0 to 1.</summary>
    public Func<double> NextShare { get; set; } = () => 0.5;

    public int Scripts { get; private set; }

    /// <summary>Scripts as they were sent.</summary>
    public List<string> Sent { get; } = [];

    public string Root => Path.Combine(_home.FullName, ".trestle");

    /// <summary>Jobs that Slurm has taken: id and name.</summary>
    public IReadOnlyList<(string Id, string Name)> Jobs =>
        [.. Directory.GetDirectories(PathOf("jobs")).Where(job => File.Exists(Path.Combine(job, "name"))).Select(job => (Path.GetFileName(job), File.ReadAllText(Path.Combine(job, "name")).Trim()))];

    public ILoginNode Of(ClusterLogin login) => this;

    public string PathOf(string name) => Path.Combine(_home.FullName, name);

    /// <summary>What sbatch does when the job would get this id.</summary>
    public void SetMode(int id, string mode) => File.WriteAllText(PathOf($"modes/{id.ToString(CultureInfo.InvariantCulture)}"), mode + "\n");

    /// <summary>Shows jobs that were seen late, and tells accounting of all of them.</summary>
    public void CatchUp()
    {
        foreach (var job in Directory.GetDirectories(PathOf("jobs")))
        {
            File.Delete(Path.Combine(job, "hidden"));
            if (File.Exists(Path.Combine(job, "name"))) File.WriteAllText(Path.Combine(job, "accounted"), "");
        }
    }

    public async Task<CommandOutput> RunAsync(string script, CancellationToken ct)
    {
        Fault fault;
        double share;
        lock (_lock)
        {
            (fault, share) = (NextFault(), NextShare());
            Scripts++;
            Sent.Add(script);
        }

        if (fault == Fault.LostBefore) throw new ContactLostException("lost before");
        var output = await ShellAsync(fault == Fault.Cut ? script[..(int)(script.Length * share)] : script, fault == Fault.Killed ? TimeSpan.FromMilliseconds(share * 200) : null);
        return fault == Fault.None ? output : throw new ContactLostException($"lost: {fault}");
    }

    public void Dispose() => _home.Delete(recursive: true);

    private async Task<CommandOutput> ShellAsync(string script, TimeSpan? killAfter)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{Path.Combine(AppContext.BaseDirectory, "Fakes", "Commands")}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["HOME"] = start.Environment["FAKE_SLURM"] = _home.FullName;
        using var process = Process.Start(start)!;
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var reading = Task.WhenAll(process.StandardOutput.BaseStream.CopyToAsync(output), process.StandardError.BaseStream.CopyToAsync(error));
        try
        {
            await process.StandardInput.WriteAsync(script);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read everything.
        }

        if (killAfter is { } wait)
        {
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(wait));
            process.Kill();

            // What it had started goes on for at most 120 s on the test's clock, which stands still meanwhile.
            await Task.Delay(100);
        }

        await process.WaitForExitAsync();
        await reading;
        return new CommandOutput(process.ExitCode, output.ToArray(), error.ToArray());
    }
}
