using System.CommandLine;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

/// <summary>-o table|wide|json|yaml|name.</summary>
internal static class FormatOption
{
    public static Option<OutputFormat> New()
    {
        var option = new Option<OutputFormat>("--output", "-o") { Description = "table, wide, json, yaml or name", DefaultValueFactory = _ => OutputFormat.Table };
        option.CustomParser = result =>
        {
            var text = result.Tokens is [var token] ? token.Value : "";
            if (Enum.TryParse<OutputFormat>(text, ignoreCase: true, out var format) && Enum.IsDefined(format) && !char.IsAsciiDigit(text[0]))
            {
                return format;
            }

            result.AddError($"-o {text} is no format; use table, wide, json, yaml or name");
            return default;
        };
        option.CompletionSources.Add("table", "wide", "json", "yaml", "name");
        return option;
    }
}
