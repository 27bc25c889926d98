using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Trestle.Operator.Telemetry;

/// <summary>
/// Gives a started activity the id that was promised to others. .NET lets one choose the trace and the parent, and makes the
/// span's own id up; so its private field is written. Should a later .NET have no such field the span keeps its own id, and
/// the trace is whole but for the place of its root.
/// </summary>
internal static class ChosenSpanId
{
    private static bool _missing;

    public static void Set(Activity activity, ActivitySpanId id)
    {
        if (_missing) return;
        try
        {
            Write(activity, id.ToHexString());
        }
        catch (MissingFieldException)
        {
            _missing = true;
        }
    }

    // Of its own, so that a missing field throws where it is caught.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Write(Activity activity, string id) => SpanId(activity) = id;

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_spanId")]
    private static extern ref string? SpanId(Activity activity);
}
