using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Telemetry;

/// <summary>A change of one job, of the same uid on both sides.</summary>
/// <param name="Old">Null: it is new.</param>
/// <param name="Now">Null: it is gone.</param>
internal sealed record JobTransition(TrainingJob? Old, TrainingJob? Now);
