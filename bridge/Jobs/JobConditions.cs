using Trestle.Api.V1Alpha1;

namespace Trestle.Bridge.Jobs;

/// <summary>Types of the conditions of a SlurmJob.</summary>
internal static class JobConditions
{
    public const string Submitted = "Submitted";
    public const string Running = "Running";
    public const string Complete = "Complete";
    public const string Failed = "Failed";
    public const string ContactLost = "ContactLost";
    public const string Cancelling = "Cancelling";
    public const string CannotStart = "CannotStart";

    /// <summary>When a condition became True, by the wall clock of then; null when it is not.</summary>
    public static DateTimeOffset? Since(SlurmJobStatus? status, string type) =>
        status?.Conditions?.FirstOrDefault(known => known.Type == type && known.Status == "True")?.LastTransitionTime is { } since ? new DateTimeOffset(since, TimeSpan.Zero) : null;
}
