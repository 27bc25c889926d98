using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Trestle.Api.V1Alpha1;

/// <summary>
/// How long auxiliaries go on after all primaries succeeded: one duration, or durations by task name with "default".
/// The schema can't describe the two forms, so what is not a delay is kept and told by <see cref="Problem"/>.
/// </summary>
[JsonConverter(typeof(Converter))]
public sealed class TerminationDelay
{
    private const string DefaultKey = "default";
    private readonly JsonNode _written;

    private TerminationDelay(JsonNode written) => _written = written;

    /// <summary>What to write instead, as a sentence; null when it can be used.</summary>
    public string? Problem => _written switch
    {
        JsonValue value => Duration.TryParse(TextOf(value), out _) ? null : Sentence(value),
        JsonObject tasks => tasks.Where(task => !Duration.TryParse(TextOf(task.Value), out _)).Select(task => Sentence(task.Value)).FirstOrDefault(),
        _ => Sentence(_written),
    };

    /// <summary>Task names with a delay of their own.</summary>
    public IEnumerable<string> Tasks => _written is JsonObject tasks ? tasks.Select(task => task.Key).Where(name => name != DefaultKey) : [];

    /// <summary>The same delay for all.</summary>
    /// <param name="duration">E.g. 30s.</param>
    public static TerminationDelay Of(string duration) => new(JsonValue.Create(duration));

    /// <summary>Delays by task name; "default" is for the others.</summary>
    public static TerminationDelay Of(IEnumerable<KeyValuePair<string, string>> durations) =>
        new(new JsonObject(durations.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value)))));

    /// <summary>The delay of a task; none when it can't be read.</summary>
    public TimeSpan For(string task)
    {
        var text = _written is JsonObject tasks ? TextOf(tasks[task] ?? tasks[DefaultKey]) : TextOf(_written);
        return Duration.TryParse(text, out var delay) ? delay : TimeSpan.Zero;
    }

    private static string? TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static string Sentence(JsonNode? node) =>
        $"terminationDelay must be a duration such as 30s, or durations by task such as {{default: 30s, rollout: 1m}}; got {node?.ToJsonString() ?? "null"}";

    internal sealed class Converter : JsonConverter<TerminationDelay>
    {
        public override TerminationDelay? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonNode.Parse(ref reader) is { } node ? new TerminationDelay(node) : null;

        public override void Write(Utf8JsonWriter writer, TerminationDelay value, JsonSerializerOptions options) => value._written.WriteTo(writer);
    }
}
