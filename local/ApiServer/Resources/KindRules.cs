using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>What a built-in kind does beyond its types. Every rule is pure; the writer calls them in this order.</summary>
internal sealed record KindRules
{
    public static readonly KindRules None = new();

    /// <summary>Fills in the values a real server would write, on create and update. The second argument is null on create.</summary>
    public Action<JsonObject, JsonObject?, DateTimeOffset>? Default { get; init; }

    /// <summary>Adds what the server itself decides, which no manager owns. The second argument is null on create.</summary>
    public Action<JsonObject, JsonObject?, DateTimeOffset>? Complete { get; init; }

    public Func<JsonObject, IEnumerable<FieldError>>? Validate { get; init; }

    /// <summary>Arguments: old, new.</summary>
    public Func<JsonObject, JsonObject, IEnumerable<FieldError>>? ValidateUpdate { get; init; }

    /// <summary>Nodes register themselves with their status.</summary>
    public bool KeepsStatusOnCreate { get; init; }

    /// <summary>A deletion answers the object, not a Status.</summary>
    public bool ReturnsDeleted { get; init; }

    /// <summary>Names may hold what a DNS name may not.</summary>
    public bool AllowsPathNames { get; init; }
    public bool NameIsLabel { get; init; }

    /// <summary>Marks an object whose deletion was asked for; true when its controller must finish first.</summary>
    public Func<JsonObject, bool>? HoldDeletion { get; init; }

    /// <summary>Seconds a deletion waits for whoever runs the object; null removes it at once.</summary>
    public Func<JsonObject, long?>? GracePeriod { get; init; }
}
