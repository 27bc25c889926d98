using System.Text.Json;
using System.Text.Json.Serialization;

namespace Trestle.Bench;

/// <summary>One measured figure. Without a peer <see cref="Against"/>, <see cref="Theirs"/> and <see cref="Ratio"/> are null; without a goal the last two.</summary>
public sealed record BenchRow(string Metric, double Ours, string Unit)
{
    /// <summary>The peer that did the same on the same machine in the same run.</summary>
    public string? Against { get; init; }

    /// <summary>The peer's figure, in the same unit.</summary>
    public double? Theirs { get; init; }

    /// <summary>Ours divided by theirs.</summary>
    public double? Ratio => Theirs is { } theirs and not 0 ? Math.Round(Ours / theirs, 3) : null;

    /// <summary>The figure aimed at.</summary>
    public double? Goal { get; init; }

    /// <summary>Whether the goal is met; one that is not stays in the table.</summary>
    public bool? Met { get; init; }
}

/// <summary>What a benchmark gave, as it stands in <c>bench/results/NAME.json</c>.</summary>
public sealed record BenchResult(string Name, string Commit, Machine Machine, IReadOnlyList<BenchRow> Rows)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads a result; <see cref="JsonException"/> when the file is none.</summary>
    public static BenchResult Read(string path) =>
        JsonSerializer.Deserialize<BenchResult>(File.ReadAllText(path), Json) ?? throw new JsonException($"{path} holds no result");

    /// <summary>Writes <c>DIRECTORY/NAME.json</c> whole or not at all.</summary>
    public void Write(string directory)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, Name + ".json");
        File.WriteAllText(path + ".tmp", JsonSerializer.Serialize(this, Json) + "\n");
        File.Move(path + ".tmp", path, overwrite: true);
    }
}
