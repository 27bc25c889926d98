using Trestle.Testing;
using Trestle.Testing.Slurm;

namespace Trestle.EndToEnd.Tests;

/// <summary>A real Slurm, and a plane of one node with that cluster attached as alps.</summary>
public sealed class SlurmPlane : IAsyncLifetime
{
    private readonly TemporaryDirectory _files = new();
    private SlurmCluster? _slurm;
    private LocalPlane? _plane;

    public SlurmCluster Slurm => _slurm ?? throw new InvalidOperationException("Slurm has not started");

    public LocalPlane Plane => _plane ?? throw new InvalidOperationException("the plane has not started");

    /// <summary>What --slurm takes, with another name, key or user.</summary>
    public string Attachment(string name = "alps", string? key = null, string? hosts = null) =>
        $"{name}=ssh://{Slurm.A.Name}@{Slurm.Host}:{Slurm.Port}?key={key ?? _files["key"]}&known-hosts={hosts ?? _files["hosts"]}&poll=1s&partition=gpu";

    public async ValueTask InitializeAsync()
    {
        if (SlurmFixture.Missing is not null) return;
        _slurm = await SlurmCluster.StartAsync();
        _files.Write("key", _slurm.A.Ed25519Key);
        _files.Write("hosts", _slurm.KnownHosts);
        _plane = await LocalPlane.StartAsync(nodes: 1, more: ["--slurm", Attachment()]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_plane is not null) await _plane.DisposeAsync();
        if (_slurm is not null) await _slurm.DisposeAsync();
        _files.Dispose();
    }
}
