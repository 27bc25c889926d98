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
}
