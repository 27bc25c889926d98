using k8s;
using k8s.Models;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>A group of pods that a scheduler places together or not at all.</summary>
internal interface IPodGroup : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Why it is not placed, in the scheduler's words; null when it says nothing.</summary>
    string? Words { get; }
}
