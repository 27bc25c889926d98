using System.Reflection;

namespace Trestle.Api.Crds;

/// <summary>The checked-in definitions (crds/*.yaml), embedded in this assembly.</summary>
public static class CrdManifests
{
    private const string Prefix = "crds/";

    /// <summary>All definitions, by name.</summary>
    public static IReadOnlyList<CrdManifest> All { get; } = [.. Read().OrderBy(manifest => manifest.Name, StringComparer.Ordinal)];

    private static IEnumerable<CrdManifest> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return new CrdManifest(resource[Prefix.Length..^".yaml".Length], reader.ReadToEnd());
        }
    }
}

/// <summary>One definition.</summary>
/// <param name="Name">Plural of the kind, e.g. trainingjobs.</param>
/// <param name="Yaml">Text of the file.</param>
public sealed record CrdManifest(string Name, string Yaml);
