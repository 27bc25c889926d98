using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Trestle.Api.Crds;

/// <summary>Doc comments of an assembly, which become descriptions of the schema.</summary>
public sealed partial class XmlDocs
{
    private readonly Dictionary<string, string> _summaries;

    private XmlDocs(Dictionary<string, string> summaries) => _summaries = summaries;

    /// <summary>No descriptions.</summary>
    public static XmlDocs None { get; } = new([]);

    /// <summary>Reads the file that the compiler writes beside the assembly.</summary>
    public static XmlDocs Load(string path) => new(XDocument.Load(path).Descendants("member")
        .Where(member => member.Element("summary") is not null)
        .ToDictionary(member => member.Attribute("name")!.Value, member => Text(member.Element("summary")!), StringComparer.Ordinal));

    /// <summary>The summary of a type, or null.</summary>
    public string? Of(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return _summaries.GetValueOrDefault($"T:{type.FullName?.Replace('+', '.')}");
    }

    /// <summary>The summary of a property, or null.</summary>
    public string? Of(Type type, string property)
    {
        ArgumentNullException.ThrowIfNull(type);
        return _summaries.GetValueOrDefault($"P:{type.FullName?.Replace('+', '.')}.{property}");
    }

    private static string Text(XElement summary)
    {
        foreach (var reference in summary.Descendants().Where(element => element.Attribute("cref") is not null))
        {
            reference.Value = reference.Attribute("cref")!.Value.Split('.')[^1];
        }

        return Blanks().Replace(summary.Value, " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
