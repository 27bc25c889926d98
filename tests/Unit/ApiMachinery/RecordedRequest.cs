using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery.Tests;

/// <summary>One recorded exchange with a real API server: <c>tests/Samples/kubernetes/api</c>.</summary>
internal sealed record RecordedRequest(string Method, string Target, JsonNode? Body, string RawBody, int Status, JsonNode? Answer)
{
    private static readonly string Folder = FindFolder();

    public JsonObject BodyObject => (JsonObject)Body!.DeepClone();

    public JsonObject AnswerObject => (JsonObject)Answer!.DeepClone();

    public string Message => (string)Answer!["message"]!;

    /// <summary>Reads the sample whose name starts with the number, such as 22 for <c>022-create-cel-violation.txt</c>.</summary>
    public static RecordedRequest Load(int number)
    {
        var file = Directory.GetFiles(Folder, $"{number:000}-*.txt").Single();
        var lines = File.ReadAllLines(file).SkipWhile(l => l.StartsWith('#')).ToList();
        var request = lines[0].Split(' ', 2);
        var separator = lines.FindLastIndex(l => l.StartsWith("--- ", StringComparison.Ordinal));
        var raw = BodyOf(lines.Take(separator).Skip(1));
        var answer = BodyOf(lines.Skip(separator + 1));
        return new RecordedRequest(request[0], request[1], Json(raw), raw, int.Parse(lines[separator][4..]), Json(answer));
    }

    public static StructuralSchema Schema() => StructuralSchema.FromCrd(SchemaOf(5));

    public static JsonObject SchemaOf(int number) =>
        (JsonObject)Load(number).BodyObject["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!.DeepClone();

    public static JsonArray? ManagedFieldsOf(JsonNode? obj) => obj?["metadata"]?["managedFields"] as JsonArray;

    private static string BodyOf(IEnumerable<string> lines) => string.Join('\n', lines.SkipWhile(l => l.Length > 0).Skip(1)).Trim();

    private static JsonNode? Json(string text) => text.StartsWith('{') || text.StartsWith('[') ? TryParse(text) : null;

    private static JsonNode? TryParse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static string FindFolder()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !Directory.Exists(Path.Combine(root.FullName, "tests", "Samples", "kubernetes", "api"))) root = root.Parent;
        if (root is not null) return Path.Combine(root.FullName, "tests", "Samples", "kubernetes", "api");
        // Built outside the tree: the source file knows where it lives.
        return Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "Samples", "kubernetes", "api"));
    }

    private static string ThisFile([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;
}
