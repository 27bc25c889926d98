using System.Text.RegularExpressions;

namespace Trestle.Local.ApiMachinery;

/// <summary>The grammar of k8s.io/apimachinery <c>labels.Parse</c>, with its messages.</summary>
internal sealed partial class LabelSelectorParser(string text)
{
    private static readonly string[] Operators = ["in", "notin", "=", "==", "!=", "!", ">", "<"];
    private readonly List<(string Kind, string Text)> tokens = Lex(text);
    private int position;

    private (string Kind, string Text) Peek => position < tokens.Count ? tokens[position] : ("end", "");

    public LabelSelector Parse()
    {
        var requirements = new List<LabelSelector.Requirement>();
        if (Peek.Kind == "end") return new LabelSelector(requirements);
        while (true)
        {
            if (Peek.Kind is not ("identifier" or "!" or "in" or "notin"))
                throw new SelectorException($"found '{Peek.Text}', expected: !, identifier, or 'end of string'");
            requirements.Add(ParseRequirement());
            var (kind, found) = Next();
            if (kind == "end") return new LabelSelector(requirements);
            if (kind != ",") throw new SelectorException($"found '{found}', expected: ',' or 'end of string'");
            if (Peek.Kind is not ("identifier" or "!" or "in" or "notin"))
                throw new SelectorException($"found '{Peek.Text}', expected: identifier after ','");
        }
    }

    private LabelSelector.Requirement ParseRequirement()
    {
        var missing = Peek.Kind == "!";
        if (missing) Next();
        var (kind, key) = Next();
        if (kind is not ("identifier" or "in" or "notin")) throw Unparsable($"found '{key}', expected: identifier");
        CheckKey(key);
        if (missing) return new(key, LabelSelector.Test.Missing, []);
        if (Peek.Kind is "end" or ",") return new(key, LabelSelector.Test.Exists, []);
        var (op, found) = Next();
        return op switch
        {
            "in" => new(key, LabelSelector.Test.In, ParseValues()),
            "notin" => new(key, LabelSelector.Test.NotIn, ParseValues()),
            "=" or "==" => new(key, LabelSelector.Test.In, [ParseValue()]),
            "!=" => new(key, LabelSelector.Test.NotIn, [ParseValue()]),
            ">" => new(key, LabelSelector.Test.Greater, [ParseNumber()]),
            "<" => new(key, LabelSelector.Test.Less, [ParseNumber()]),
            _ => throw Unparsable($"found '{found}', expected: {string.Join(", ", Operators)}"),
        };
    }

    private string ParseValue()
    {
        if (Peek.Kind is "end" or ",") return "";
        var (kind, value) = Next();
        if (kind is not ("identifier" or "in" or "notin")) throw Unparsable($"found '{value}', expected: identifier");
        CheckValue(value);
        return value;
    }

    private string ParseNumber()
    {
        var value = ParseValue();
        return long.TryParse(value, out _)
            ? value
            : throw Unparsable("for 'Gt', 'Lt' operators, the value must be an integer");
    }

    private List<string> ParseValues()
    {
        var (kind, found) = Next();
        if (kind != "(") throw Unparsable($"found '{found}' expected: '('");
        var values = new List<string>();
        while (true)
        {
            if (Peek.Kind is "," or ")") values.Add("");
            else values.Add(ParseValue());
            (kind, found) = Next();
            if (kind == ")") return values;
            if (kind != ",") throw Unparsable($"found '{found}', expected: ',' or ')'");
        }
    }

    private (string Kind, string Text) Next()
    {
        var token = Peek;
        position++;
        return token;
    }

    private static SelectorException Unparsable(string message) => new("unable to parse requirement: " + message);

    private static void CheckKey(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var name = slash < 0 ? key : key[(slash + 1)..];
        var prefixed = slash < 0 || (slash > 0 && slash <= 253 && Prefix().IsMatch(key[..slash]));
        if (!prefixed || name.Length is 0 or > 63 || !Name().IsMatch(name))
        {
            throw Unparsable($"<nil>: Invalid value: {FieldError.Quote(key)}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')");
        }
    }

    private static void CheckValue(string value)
    {
        if (value.Length == 0 || (value.Length <= 63 && Name().IsMatch(value))) return;
        throw Unparsable($"values[0][key]: Invalid value: {FieldError.Quote(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
    }

    private static List<(string, string)> Lex(string text)
    {
        var found = new List<(string, string)>();
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            if (c is ' ' or '\t' or '\r' or '\n') i++;
            else if (c is '=' or '!')
            {
                var length = i + 1 < text.Length && text[i + 1] == '=' ? 2 : 1;
                found.Add((text.Substring(i, length), text.Substring(i, length)));
                i += length;
            }
            else if (c is '(' or ')' or ',' or '<' or '>')
            {
                found.Add((c.ToString(), c.ToString()));
                i++;
            }
            else
            {
                var start = i;
                while (i < text.Length && text[i] is not (' ' or '\t' or '\r' or '\n' or '=' or '!' or '(' or ')' or ',' or '<' or '>')) i++;
                var word = text[start..i];
                found.Add((word is "in" or "notin" ? word : "identifier", word));
            }
        }

        return found;
    }

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Name();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Prefix();
}
