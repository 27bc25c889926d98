namespace Trestle.Local.ApiServer;

internal enum FieldValidation { Ignore, Warn, Strict }

/// <summary>How a write is to be made and who makes it.</summary>
internal sealed record WriteOptions
{
    public required string FieldManager { get; init; }
    public bool IsDryRun { get; init; }
    public FieldValidation Validation { get; init; } = FieldValidation.Warn;

    /// <summary>Collects sentences for the client; unknown fields among them.</summary>
    public List<string> Warnings { get; init; } = [];

    /// <summary><c>status</c>, <c>scale</c>, or null for the object itself.</summary>
    public string? Subresource { get; init; }

    /// <summary>True for patches, whose unknown fields are reported in another sentence.</summary>
    public bool IsPatch { get; init; }

    public static WriteOptions Of(ApiRequest request) => new()
    {
        FieldManager = request.FieldManager,
        IsDryRun = request.IsDryRun,
        Warnings = request.Warnings,
        Subresource = request.Path.Subresource,
        Validation = request.Query("fieldValidation") switch
        {
            "Strict" => FieldValidation.Strict,
            "Ignore" => FieldValidation.Ignore,
            null or "" or "Warn" => FieldValidation.Warn,
            var other => throw ApiException.Invalid("meta.k8s.io", "CreateOptions", "", [Trestle.Local.ApiMachinery.FieldError.NotSupported("fieldValidation", other, ["Ignore", "Strict", "Warn"])]),
        },
    };

    public static WriteOptions Internal(string manager, string? subresource = null) =>
        new() { FieldManager = manager, Subresource = subresource, Validation = FieldValidation.Ignore };
}

/// <summary>What a write left: the JSON to answer and, unless it was a dry run or a removal, what is stored.</summary>
internal sealed record WriteResult(byte[] Json, StoredObject? Stored, bool Created = false)
{
    public static WriteResult Of(StoredObject stored, bool created = false) => new(stored.Json, stored, created);
}
