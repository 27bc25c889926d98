using Trestle.Api.Launch;

namespace Trestle.Operator.Storages;

/// <summary>What a look into a bucket found: a report or an error.</summary>
/// <param name="At">When.</param>
/// <param name="Report">What is in it.</param>
/// <param name="Error">Why it can't be used, as a sentence.</param>
public sealed record BucketFinding(DateTime At, StorageReport? Report, string? Error)
{
    /// <summary>It can't be used.</summary>
    public static BucketFinding Failed(DateTime at, string error) => new(at, null, error);
}
