using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>The index of groups by the uid of their job.</summary>
internal static class GangIndex
{
    public const string Owner = "owner";

    public static string? OwnerOf(IPodGroup group) => group.ControllerOwner()?.Uid;
}
