using System.Runtime.CompilerServices;
using Trestle.Api.Schema;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Rbac;

/// <summary>What the tests of the rights of our programs have in common.</summary>
internal static class ChartRules
{
    /// <summary>Verb and subresource of each method of <see cref="IKubeApi"/>.</summary>
    public static IReadOnlyDictionary<string, (string Verb, string Subresource)> VerbOf { get; } = new Dictionary<string, (string, string)>(StringComparer.Ordinal)
    {
        [nameof(IKubeApi.FindAsync)] = ("get", ""),
        [nameof(IKubeApi.ListAsync)] = ("list", ""),
        [nameof(IKubeApi.WatchAsync)] = ("watch", ""),
        [nameof(IKubeApi.CreateAsync)] = ("create", ""),
        [nameof(IKubeApi.ReplaceAsync)] = ("update", ""),
        [nameof(IKubeApi.ReplaceStatusAsync)] = ("update", "/status"),
        [nameof(IKubeApi.PatchAsync)] = ("patch", ""),
        [nameof(IKubeApi.DeleteAsync)] = ("delete", ""),
    };

    /// <summary>The files of the chart are what the attributes say; with UPDATE_CHART=1 they are written.</summary>
    public static void ShouldBeInTheChart(this RbacRules rules, string prefix, string tests)
    {
        foreach (var (fileName, yaml) in rules.Files(prefix))
        {
            var path = Path.Combine(Chart(), "generated", fileName);
            if (Environment.GetEnvironmentVariable("UPDATE_CHART") == "1") File.WriteAllText(path, yaml);
            File.ReadAllText(path).ShouldBe(yaml, $"{fileName}: charts/trestle/generated is stale; run: UPDATE_CHART=1 tests/Unit/{tests}/bin/Release/net10.0/Trestle.{tests}.Tests");
        }
    }

    private static string Chart([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../../charts/trestle"));
}
