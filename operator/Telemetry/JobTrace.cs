using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Trestle.Operator.Telemetry;

/// <summary>
/// The ids of a job's trace, derived from its uid alone: every operator that comes to lead goes on with the same trace, and
/// phases point to the span of the job before that is written.
/// </summary>
internal static class JobTrace
{
    /// <summary>The trace, and the span of the job from submit to end.</summary>
    public static ActivityContext Root(string uid)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(uid));
        return new ActivityContext(ActivityTraceId.CreateFromBytes(hash.AsSpan(0, 16)), ActivitySpanId.CreateFromBytes(hash.AsSpan(16, 8)), ActivityTraceFlags.Recorded, isRemote: true);
    }

    /// <summary>The span of a phase that began then; told twice it is the same span.</summary>
    public static ActivitySpanId Phase(string uid, string phase, DateTime began)
    {
        var text = Encoding.UTF8.GetBytes($"{uid}/{phase}/");
        var bytes = new byte[text.Length + sizeof(long)];
        text.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(text.Length), began.Ticks);
        return ActivitySpanId.CreateFromBytes(SHA256.HashData(bytes).AsSpan(0, 8));
    }
}
