using System.Text;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>Compile errors laid out as cel-go lays them out: position, the line, and a caret under the place.</summary>
internal static class CelError
{
    public static string Format(string source, int at, string message)
    {
        at = Math.Clamp(at, 0, source.Length);
        var lineStart = at == 0 ? 0 : source.LastIndexOf('\n', at - 1) + 1;
        var lineEnd = source.IndexOf('\n', at);
        var line = source[lineStart..(lineEnd < 0 ? source.Length : lineEnd)];
        var number = source.AsSpan(0, lineStart).Count('\n') + 1;
        var column = at - lineStart;
        return new StringBuilder()
            .Append("ERROR: <input>:").Append(number).Append(':').Append(column + 1).Append(": ").Append(message)
            .Append("\n | ").Append(line.Replace('\t', ' '))
            .Append("\n | ").Append('.', column).Append('^').ToString();
    }
}
