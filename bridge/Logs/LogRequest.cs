using System.Globalization;
using Microsoft.AspNetCore.Http;
using Trestle.Runtime;

namespace Trestle.Bridge.Logs;

/// <summary>What a reader asks for.</summary>
/// <param name="Job">The SlurmJob.</param>
/// <param name="Rank">The rank; null for the batch script.</param>
/// <param name="Offset">Where to begin, in bytes.</param>
/// <param name="Tail">Lines from the end, instead of an offset.</param>
/// <param name="Follow">Go on until the job has ended.</param>
internal sealed record LogRequest(ObjectKey Job, int? Rank, long Offset, int? Tail, bool Follow)
{
    private const string Batch = "job";

    /// <summary>Null when it is no such request.</summary>
    public static LogRequest? Read(HttpRequest request)
    {
        if ((request.Path.Value ?? "").Split('/') is not ["", "logs", var ns, var name, var place]) return null;
        var query = request.Query;
        if (place != Batch && Number(place) is null) return null;
        if (query.ContainsKey("offset") && !IsOffset(query["offset"])) return null;
        if (query.ContainsKey("tail") && (Number(query["tail"]) is null || query.ContainsKey("offset"))) return null;
        var offset = query.ContainsKey("offset") ? long.Parse(query["offset"]!, NumberStyles.None, CultureInfo.InvariantCulture) : 0;
        return new LogRequest(new ObjectKey(ns, name), place == Batch ? null : Number(place), offset, query.ContainsKey("tail") ? Number(query["tail"]) : null, query["follow"] == "true");
    }

    private static bool IsOffset(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
