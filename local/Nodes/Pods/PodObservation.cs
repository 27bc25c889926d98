using k8s.Models;

namespace Trestle.Local.Nodes.Pods;

/// <summary>Why the agent itself ends a pod.</summary>
/// <param name="Reason">Reason in the pod's status, such as Evicted.</param>
/// <param name="Message">The sentence to it.</param>
/// <param name="Deadline">When what still runs is killed.</param>
/// <param name="Disruption">Reason of the DisruptionTarget condition, or null when the pod brought it on itself.</param>
public sealed record StopCause(string Reason, string Message, DateTimeOffset Deadline, string? Disruption = null);

/// <summary>What the planner decides from.</summary>
/// <param name="Pod">The pod as the API has it.</param>
/// <param name="Slots">Its containers by name; one for every init and main container.</param>
/// <param name="Now">The time.</param>
/// <param name="PodAddress">Its loopback address.</param>
/// <param name="HostAddress">Address of its node.</param>
/// <param name="Stop">Why the agent ends it, if it does.</param>
public sealed record PodObservation(V1Pod Pod, IReadOnlyDictionary<string, ContainerSlot> Slots, DateTimeOffset Now, string PodAddress, string HostAddress, StopCause? Stop = null);

/// <summary>A step the worker is to take.</summary>
public abstract record PodStep(string Container);

/// <summary>Start the container (its run number is how often it was restarted).</summary>
public sealed record StartContainer(string Container, int Restart) : PodStep(Container);

/// <summary>Ask the container to end and kill it at the deadline.</summary>
public sealed record StopContainer(string Container, DateTimeOffset Deadline) : PodStep(Container);

/// <summary>What is to be done, what the status is, and when to look again without being woken.</summary>
/// <param name="Steps">In order.</param>
/// <param name="Status">The status to publish.</param>
/// <param name="WakeAt">When time alone changes the plan.</param>
/// <param name="Done">Nothing runs and nothing will: the pod ended or is to be removed.</param>
public sealed record PodPlan(IReadOnlyList<PodStep> Steps, V1PodStatus Status, DateTimeOffset? WakeAt, bool Done);
