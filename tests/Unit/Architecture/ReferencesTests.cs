using System.Reflection;

namespace Trestle.Architecture.Tests;

/// <summary>Holds the "may reference" table of docs/explanation/architecture.md to what the compiler saw.</summary>
public sealed class ReferencesTests
{
    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["Trestle.Api"] = [],
        ["Trestle.Runtime"] = [],
        ["Trestle.Operator"] = ["Trestle.Api", "Trestle.Runtime"],
        ["Trestle.Bridge"] = ["Trestle.Api", "Trestle.Runtime"],
        ["trestle-weights-gateway"] = ["Trestle.Api", "Trestle.Runtime"],
        ["Trestle.CacheMount"] = [],
        ["trestle-node"] = ["Trestle.Api", "Trestle.CacheMount"],
        ["Trestle.Local.ApiMachinery"] = [],
        ["Trestle.Local.ApiServer"] = ["Trestle.Local.ApiMachinery"],
        ["Trestle.Local.Nodes"] = ["Trestle.Runtime"],
        ["Trestle.Local.Plane"] = ["Trestle.Api", "Trestle.Runtime", "Trestle.Operator", "Trestle.Bridge", "Trestle.Local.ApiServer", "Trestle.Local.Nodes"],
        ["trestle"] = ["Trestle.Api", "Trestle.Runtime", "Trestle.Operator", "Trestle.Local.Plane"],
    };

    public static TheoryData<string> Assemblies() => [.. MayReference.Keys];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void An_assembly_uses_only_what_the_table_allows(string name)
    {
        OurReferences(name).Except(MayReference[name]).ShouldBeEmpty();
    }

    [Fact]
    public void Every_assembly_of_ours_is_in_the_table()
    {
        var shipped = Directory.GetFiles(AppContext.BaseDirectory, "*.dll")
            .Select(Path.GetFileNameWithoutExtension)
            .Where(IsOurs)
            .Where(name => !name!.EndsWith(".Tests", StringComparison.Ordinal));

        shipped.Except(MayReference.Keys).ShouldBeEmpty();
    }

    private static IEnumerable<string> OurReferences(string name) =>
        Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, name + ".dll"))
            .GetReferencedAssemblies()
            .Select(reference => reference.Name!)
            .Where(IsOurs);

    private static bool IsOurs(string? name) =>
        name is "trestle" or "trestle-node" or "trestle-weights-gateway" || name?.StartsWith("Trestle.", StringComparison.Ordinal) == true;
}
