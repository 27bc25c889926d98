using System.Text.Json;
using System.Text.Json.Serialization;
using Trestle.Local.Plane.Slurm;

namespace Trestle.Local.Plane;

/// <summary>What the parts of a plane are started with; kept in <c>plane.json</c>, so that a restart of any part finds it as it was.</summary>
internal sealed record PlaneSettings
{
    /// <summary>Port of the Kubernetes API.</summary>
    public int ApiPort { get; init; }

    /// <summary>Port where ranks of a job meet.</summary>
    public int RendezvousPort { get; init; }

    /// <summary>Number of virtual nodes.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Declared accelerator.</summary>
    public string? GpuType { get; init; }

    /// <summary>Declared accelerators per node.</summary>
    public int GpuCount { get; init; }

    /// <summary>An operator is run by hand.</summary>
    public bool NoOperator { get; init; }

    /// <summary>Directory of storages.</summary>
    public string Objects { get; init; } = "";

    /// <summary>Slurm clusters; without any no bridge runs.</summary>
    public IReadOnlyList<SlurmAttachment> Slurm { get; init; } = [];

    /// <summary>Port where the bridge serves the logs of Slurm jobs.</summary>
    public int SlurmLogsPort { get; init; }

    /// <summary>PATH of containers: that of whoever started the plane, as this machine stands in for the image.</summary>
    public string Path { get; init; } = "";

    public static PlaneSettings? Read(PlaneDirectory directory)
    {
        try
        {
            return File.Exists(directory.Settings) ? JsonSerializer.Deserialize(File.ReadAllBytes(directory.Settings), PlaneJson.Default.PlaneSettings) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Write(PlaneDirectory directory)
    {
        File.WriteAllBytes(directory.Settings + ".tmp", JsonSerializer.SerializeToUtf8Bytes(this, PlaneJson.Default.PlaneSettings));
        File.Move(directory.Settings + ".tmp", directory.Settings, overwrite: true);
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PlaneSettings))]
internal sealed partial class PlaneJson : JsonSerializerContext;
