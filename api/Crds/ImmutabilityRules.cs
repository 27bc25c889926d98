using System.Text.Json.Nodes;
using Trestle.Api.Schema;

namespace Trestle.Api.Crds;

/// <summary>
/// One transition rule a field, so that the answer names the field. Only fields on the way to an exception are opened;
/// everything else is compared as a whole, which costs next to nothing.
/// </summary>
internal static class ImmutabilityRules
{
    public static void Add(JsonObject schema, string name, ImmutableAttribute immutable) =>
        SchemaRules.Add(schema, Paths(schema, "", immutable.Except).ToArray().Select(path =>
            new ValidationRuleAttribute(Rule(path), $"{name}.{path} can't change after creation; delete {immutable.Noun} and create it again")));

    private static IEnumerable<string> Paths(JsonObject schema, string prefix, IReadOnlyList<string> except)
    {
        foreach (var (key, value) in (JsonObject)schema["properties"]!)
        {
            var path = prefix + key;
            if (except.Contains(path))
            {
                continue;
            }

            if (!except.Any(other => other.StartsWith(path + ".", StringComparison.Ordinal)))
            {
                yield return path;
                continue;
            }

            foreach (var below in Paths((JsonObject)value!, path + ".", except))
            {
                yield return below;
            }
        }
    }

    private static string Rule(string path)
    {
        var (before, after) = (Present("oldSelf", path), Present("self", path));
        return $"{after} == {before} && (!{after} || self.{path} == oldSelf.{path})";
    }

    // has(self.a), or (has(self.a) && has(self.a.b))
    private static string Present(string root, string path)
    {
        var parts = path.Split('.');
        var steps = string.Join(" && ", Enumerable.Range(1, parts.Length).Select(count => $"has({root}.{string.Join('.', parts.Take(count))})"));
        return parts.Length == 1 ? steps : $"({steps})";
    }
}
