using System.Globalization;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Output;

namespace Trestle.Cli.Storages;

/// <summary>Storages: where they are, whether they can be used, what is in them.</summary>
internal static class StorageTable
{
    private static readonly TableColumn[] Columns =
    [
        new("NAME"), new("PHASE"), new("PLACE"), new("SIZE"), new("OBJECTS"), new("CHECKPOINTS"), new("NEWEST"), new("AGE"), new("ENDPOINT", Wide: true), new("NOTE"),
    ];

    /// <summary>One row a storage.</summary>
    public static TextTable Build(IEnumerable<Storage> storages, DateTime now) =>
        new(Columns, [.. storages.OrderBy(storage => storage.Metadata.Name, StringComparer.Ordinal).Select(storage => Row(storage, now))]);

    private static string[] Row(Storage storage, DateTime now)
    {
        var (spec, status) = (storage.Spec, storage.Status);
        var newest = status?.Checkpoints is [var first, ..] ? first : null;
        return
        [
            storage.Metadata.Name,
            status?.Phase?.ToString() ?? "Pending",
            spec.S3 is { } bucket ? $"s3://{bucket.Bucket}/{bucket.Prefix?.TrimStart('/')}".TrimEnd('/') : spec.File?.Path ?? "-",
            Sizes.Short(status?.Bytes),
            status?.Objects?.ToString(CultureInfo.InvariantCulture) ?? "-",
            status?.Checkpoints?.Count.ToString(CultureInfo.InvariantCulture) ?? "-",
            newest?.Name ?? "-",
            newest?.DurableAt is { } at ? Ages.Short(now - at) : "-",
            spec.S3?.Endpoint ?? "-",
            status?.Phase == StoragePhase.Ready && status.Reason == "Ready" && status.Conditions?.Exists(condition => condition is { Type: "Writable", Status: "False" }) != true ? "-" : status?.Message ?? "not looked at yet",
        ];
    }
}
