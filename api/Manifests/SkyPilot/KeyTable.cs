using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>What to do with each key of a section; what is not in the table is an error.</summary>
/// <param name="section">For sentences, e.g. "a task".</param>
/// <param name="notes">Where errors go.</param>
internal sealed class KeyTable(string section, Notes notes) : Dictionary<string, Action<YamlEntry>>(StringComparer.Ordinal)
{
    /// <summary>Keys that mean something in SkyPilot and nothing here, with the sentence that says so.</summary>
    public IReadOnlyDictionary<string, string> Refused { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public void Read(YamlMap map)
    {
        foreach (var entry in map.Entries)
        {
            if (TryGetValue(entry.Key, out var read))
            {
                if (!entry.Value.IsNull)
                {
                    read(entry);
                }
            }
            else
            {
                notes.Error(entry.Line, Refused.TryGetValue(entry.Key, out var why)
                    ? $"{entry.Key}: {why}"
                    : $"{section} has no key '{Notes.Shown(entry.Key)}'{NearestName.Hint(entry.Key, Keys)}");
            }
        }
    }
}
