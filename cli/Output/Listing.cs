using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Cli.Output;

/// <summary>An object behind a row, for -o json, yaml and name.</summary>
/// <param name="Kind">Lower-case singular with the group, as kubectl prints it.</param>
/// <param name="Name">metadata.name.</param>
/// <param name="Json">The object as the API would take it.</param>
internal sealed record ListedObject(string Kind, string Name, Func<JsonNode> Json);

/// <summary>Writes rows in the format the user asked for.</summary>
internal static class Listing
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(CliHost host, OutputFormat format, TextTable table, IReadOnlyList<ListedObject> objects, string nothing)
    {
        switch (format)
        {
            case OutputFormat.Json:
                host.Out.WriteLine(AsList(objects).ToJsonString(Indented));
                break;
            case OutputFormat.Yaml:
                host.Out.Write(YamlText.Of(AsList(objects)));
                break;
            case OutputFormat.Name:
                foreach (var listed in objects)
                {
                    host.Out.WriteLine($"{listed.Kind}/{listed.Name}");
                }

                break;
            case OutputFormat.Table or OutputFormat.Wide when table.Rows.Count == 0:
                host.Error.WriteLine(nothing);
                break;
            default:
                WriteTable(host, table.For(format));
                break;
        }
    }

    public static void WriteOne(CliHost host, OutputFormat format, ListedObject listed)
    {
        switch (format)
        {
            case OutputFormat.Json:
                host.Out.WriteLine(listed.Json().ToJsonString(Indented));
                break;
            case OutputFormat.Yaml:
                host.Out.Write(YamlText.Of(listed.Json()));
                break;
            default:
                host.Out.WriteLine($"{listed.Kind}/{listed.Name}");
                break;
        }
    }

    // Apart, so that a pipe never loads the terminal library.
    private static void WriteTable(CliHost host, TextTable table)
    {
        if (host.IsTerminal)
        {
            TerminalTable.Write(table, host);
        }
        else
        {
            host.Out.Write(PlainTable.Render(table));
        }
    }

    private static JsonObject AsList(IReadOnlyList<ListedObject> objects) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "List",
        ["items"] = new JsonArray([.. objects.Select(listed => listed.Json())]),
    };
}
