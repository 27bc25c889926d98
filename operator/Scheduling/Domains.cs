namespace Trestle.Operator.Scheduling;

/// <summary>The nodes by the value of one label; those without it are in no domain.</summary>
internal sealed class Domains
{
    /// <param name="key">The label.</param>
    /// <param name="nodes">The nodes.</param>
    public Domains(string key, IReadOnlyList<PassNode> nodes)
    {
        Key = key;
        Names = [.. nodes.Select(node => node.Labels.GetValueOrDefault(key)).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        var numbers = Names.Select((name, number) => (name, number)).ToDictionary(pair => pair.name, pair => pair.number);
        Of = [.. nodes.Select(node => node.Labels.TryGetValue(key, out var name) ? numbers[name] : -1)];
        var members = Names.Select(_ => new List<int>()).ToArray();
        for (var node = 0; node < Of.Length; node++)
        {
            if (Of[node] >= 0) members[Of[node]].Add(node);
        }

        Members = members;
    }

    public string Key { get; }

    /// <summary>Names of the domains, in order.</summary>
    public string[] Names { get; }

    /// <summary>Number of the domain of a node; -1 for none.</summary>
    public int[] Of { get; }

    /// <summary>Nodes of a domain.</summary>
    public IReadOnlyList<int>[] Members { get; }

    /// <summary>"rack" of topology.kubernetes.io/rack.</summary>
    public static string Word(string key) => key[(key.LastIndexOf('/') + 1)..];
}
