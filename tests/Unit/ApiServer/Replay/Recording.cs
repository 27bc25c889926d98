using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer.Tests;

/// <summary>One recorded request with the answer of a real server.</summary>
internal sealed record Recording(string File, string Method, string Url, IReadOnlyDictionary<string, string> Headers, string Body, int Status, IReadOnlyDictionary<string, string> AnswerHeaders, string Answer)
{
    public static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "Samples", "kubernetes", "api");

    public string Name => Path.GetFileNameWithoutExtension(File);

    public static IReadOnlyList<Recording> All { get; } =
        [.. System.IO.Directory.GetFiles(Directory, "*.txt").Order(StringComparer.Ordinal).Select(Read)];

    public static Recording Find(string name) => All.Single(r => r.Name == name);

    public JsonObject AnswerJson => (JsonObject)JsonNode.Parse(Answer)!;

    /// <summary>The lines of a watch.</summary>
    public IReadOnlyList<JsonObject> Events => ParseMany(Answer);

    public static IReadOnlyList<JsonObject> ParseMany(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var result = new List<JsonObject>();
        var position = 0;
        while (position < bytes.Length)
        {
            var reader = new Utf8JsonReader(bytes.AsSpan(position), new JsonReaderOptions { AllowMultipleValues = true });
            if (!TryRead(ref reader)) break;
            reader.Skip();
            var end = (int)reader.BytesConsumed;
            result.Add((JsonObject)JsonNode.Parse(bytes.AsSpan(position, end))!);
            position += end;
        }

        return result;

        static bool TryRead(ref Utf8JsonReader reader)
        {
            try
            {
                return reader.Read();
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    private static Recording Read(string file)
    {
        var text = System.IO.File.ReadAllText(file);
        var split = text.IndexOf("\n--- ", StringComparison.Ordinal);
        var (first, headers, body) = Part(text[..split]);
        var (status, answerHeaders, answer) = Part(text[(split + 5)..]);
        var space = first.IndexOf(' ');
        return new Recording(file, first[..space], first[(space + 1)..], headers, body, int.Parse(status), answerHeaders, answer);
    }

    private static (string First, IReadOnlyDictionary<string, string> Headers, string Body) Part(string text)
    {
        var lines = text.Split('\n').SkipWhile(l => l.StartsWith('#')).ToArray();
        var end = Array.FindIndex(lines, 1, l => l.Length == 0);
        if (end < 0) end = lines.Length;
        var headers = lines[1..end].Select(l => l.Split(": ", 2)).ToDictionary(h => h[0], h => h[1], StringComparer.OrdinalIgnoreCase);
        return (lines[0], headers, string.Join('\n', lines.Skip(end + 1)));
    }
}
