using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Trestle.Api.Yaml;

/// <summary>Text that is not YAML, or more of it than is sane.</summary>
public sealed class YamlProblemException : Exception
{
    /// <summary>A problem at a place.</summary>
    public YamlProblemException(int line, string message) : base(message) => Line = line;

    /// <summary>Where, from 1.</summary>
    public int Line { get; }
}

/// <summary>YAML text → documents with positions. Aliases and merge keys are resolved; bounded in depth and size.</summary>
public sealed class YamlDocuments
{
    private const int MaxDepth = 64;
    private const int MaxNodes = 200_000;
    private const string CoreTags = "tag:yaml.org,2002:";

    private readonly Parser _parser;
    private readonly Dictionary<AnchorName, (YamlNode Node, int Size)> _anchors = [];
    private int _nodes;

    private YamlDocuments(string text) => _parser = new Parser(new StringReader(text));

    /// <summary>Every document that holds something.</summary>
    /// <exception cref="YamlProblemException">The text is not YAML.</exception>
    public static IReadOnlyList<YamlNode> Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var documents = new YamlDocuments(text);
        try
        {
            return documents.ReadAll();
        }
        catch (YamlException error)
        {
            throw new YamlProblemException((int)Math.Max(1, error.End.Line), $"this is not YAML: {Sentence(error)}");
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or FormatException or IndexOutOfRangeException or OverflowException)
        {
            // The parser's own slips on text that no one would write by hand.
            throw new YamlProblemException((int)Math.Max(1, documents._parser.Current?.Start.Line ?? 1), "this is not YAML; check indentation, quotes and brackets");
        }
    }

    private List<YamlNode> ReadAll()
    {
        var documents = new List<YamlNode>();
        while (_parser.MoveNext())
        {
            if (_parser.Current is DocumentStart)
            {
                _anchors.Clear();
                _parser.MoveNext();
                var document = ReadNode("the document", 0);
                if (!document.IsNull)
                {
                    documents.Add(document);
                }
            }
        }

        return documents;
    }

    private YamlNode ReadNode(string what, int depth)
    {
        var current = _parser.Current!;
        var line = (int)current.Start.Line;
        if (depth > MaxDepth)
        {
            throw new YamlProblemException(line, $"this is nested more than {MaxDepth} levels deep; flatten it");
        }

        if (current is AnchorAlias alias)
        {
            return Resolve(alias.Value, line);
        }

        if (current is not NodeEvent read)
        {
            throw new YamlProblemException(line, "this is not YAML; check indentation, quotes and brackets");
        }

        Count(1, line);
        var before = _nodes;
        CheckTag(read.Tag, what, line);
        YamlNode node = read switch
        {
            Scalar scalar => new YamlScalar(line, scalar.Value, scalar is { Style: ScalarStyle.Plain } && scalar.Tag != CoreTags + "str"),
            SequenceStart => ReadList(what, line, depth),
            _ => ReadMap(line, depth),
        };
        if (read.Anchor is { IsEmpty: false } anchor)
        {
            _anchors[anchor] = (node, _nodes - before + 1);
        }

        return node;
    }

    private YamlList ReadList(string what, int line, int depth)
    {
        var items = new List<YamlNode>();
        while (Next() is not SequenceEnd)
        {
            items.Add(ReadNode(what, depth + 1));
        }

        return new YamlList(line, items);
    }

    private YamlMap ReadMap(int line, int depth)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<YamlEntry>();
        var merged = new List<YamlEntry>();
        while (Next() is not MappingEnd)
        {
            var keyLine = (int)_parser.Current!.Start.Line;
            if (ReadNode("a key", depth + 1) is not YamlScalar key)
            {
                throw new YamlProblemException(keyLine, "a key must be text");
            }

            Next();
            var value = ReadNode(key.Text, depth + 1);
            if (key is { Text: "<<", IsPlain: true })
            {
                merged.AddRange(Merged(value));
            }
            else if (!keys.Add(key.Text))
            {
                throw new YamlProblemException(keyLine, $"the key '{Shown(key.Text)}' is there twice; remove one");
            }
            else
            {
                entries.Add(new YamlEntry(key.Text, keyLine, value));
            }
        }

        entries.AddRange(merged.Where(entry => keys.Add(entry.Key)));
        return new YamlMap(line, entries);
    }

    private static IEnumerable<YamlEntry> Merged(YamlNode value) => value switch
    {
        YamlMap map => map.Entries,
        YamlList list when list.Items.All(item => item is YamlMap) => list.Items.Cast<YamlMap>().SelectMany(map => map.Entries),
        _ => throw new YamlProblemException(value.Line, "<< merges a map or a list of maps"),
    };

    private ParsingEvent Next() =>
        _parser.MoveNext() ? _parser.Current! : throw new YamlProblemException(1, "this is not YAML; it ends in the middle");

    // An alias counts as what it stands for, so that a few lines can't become billions of nodes.
    private YamlNode Resolve(AnchorName name, int line)
    {
        if (!_anchors.TryGetValue(name, out var known))
        {
            throw new YamlProblemException(line, $"*{name.Value} stands for nothing; write &{name.Value} before it");
        }

        Count(known.Size, line);
        return known.Node;
    }

    private void Count(int nodes, int line)
    {
        if ((_nodes += nodes) > MaxNodes)
        {
            throw new YamlProblemException(line, $"this holds more than {MaxNodes} values; split it");
        }
    }

    private static void CheckTag(TagName tag, string what, int line)
    {
        if (tag.IsEmpty || tag.IsNonSpecific || tag.Value is CoreTags + "str" or CoreTags + "int" or CoreTags + "float" or CoreTags + "bool" or CoreTags + "null" or CoreTags + "map" or CoreTags + "seq")
        {
            return;
        }

        throw new YamlProblemException(line, tag.Value == CoreTags + "binary"
            ? $"{Shown(what)} is binary data (!!binary); write it as text"
            : $"{Shown(what)} has the tag {Shown(tag.Value)}, which means nothing here; remove the tag");
    }

    private static string Sentence(YamlException error)
    {
        var text = error.InnerException?.Message ?? error.Message;
        var end = text.IndexOf("): ", StringComparison.Ordinal);
        text = (end > 0 ? text[(end + 3)..] : text).ReplaceLineEndings(" ").TrimEnd('.');
        return text.Length == 0 ? "check indentation, quotes and brackets" : char.ToLowerInvariant(text[0]) + text[1..];
    }

    private static string Shown(string text) => text.Length > 60 ? text[..60] + "…" : text;
}
