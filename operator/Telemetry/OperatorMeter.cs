using System.Diagnostics.Metrics;

namespace Trestle.Operator.Telemetry;

/// <summary>What the operator measures of its own work, for whoever listens in the process.</summary>
internal static class OperatorMeter
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "Trestle.Operator";

    private static readonly Meter Meter = new(Name);
    private static readonly Histogram<double> Passes = Meter.CreateHistogram<double>("trestle.admission.pass.duration", "s");

    /// <summary>Measures one admission pass until it is disposed.</summary>
    public static IDisposable TimePass(TimeProvider time) => new Pass(time);

    private sealed class Pass(TimeProvider time) : IDisposable
    {
        private readonly long _began = time.GetTimestamp();

        public void Dispose() => Passes.Record(time.GetElapsedTime(_began).TotalSeconds);
    }
}
