using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.TrainingJobs;

/// <summary>What to do for a job now.</summary>
/// <param name="Status">The whole new status, written before anything else is done; null when it stays as it is.</param>
/// <param name="Effects">What to do after that, in this order; all may be repeated.</param>
/// <param name="Event">What to tell people when the status was written.</param>
/// <param name="RequeueAfter">When to look again without a change; null for never.</param>
public sealed record TrainingJobPlan(TrainingJobStatus? Status, IReadOnlyList<Effect> Effects, PhaseEvent? Event, TimeSpan? RequeueAfter);

/// <summary>A job came to another phase.</summary>
/// <param name="Warning">Something went wrong.</param>
/// <param name="Reason">One CamelCase word.</param>
/// <param name="Message">A sentence.</param>
public sealed record PhaseEvent(bool Warning, string Reason, string Message);

/// <summary>A change of the world.</summary>
public abstract record Effect;

/// <summary>Holds the object until its pods have ended.</summary>
public sealed record AddFinalizer : Effect;

/// <summary>Lets the object go.</summary>
public sealed record RemoveFinalizer : Effect;

/// <summary>Deletes the object.</summary>
public sealed record DeleteJob : Effect;

/// <summary>Makes storages with the names at the default place.</summary>
public sealed record MakeStorages(IReadOnlyList<string> Names) : Effect;

/// <summary>Makes what the pods of an attempt need: Service, scripts, tokens.</summary>
public sealed record EnsureObjects(int Attempt) : Effect;

/// <summary>Creates pods of an attempt, held back by the admission gate.</summary>
public sealed record CreatePods(int Attempt, IReadOnlyList<int> Ranks) : Effect;

/// <summary>Opens the gates of pods; each is pinned to its node at once, when it has one.</summary>
public sealed record Release(IReadOnlyList<PinnedPod> Pods) : Effect;

/// <summary>A pod and the node it goes to; null when another scheduler chooses.</summary>
public sealed record PinnedPod(PodView Pod, string? Node);

/// <summary>Ends pods, with their own grace.</summary>
public sealed record DeletePods(IReadOnlyList<PodView> Pods) : Effect;

/// <summary>Makes the SlurmJob of an attempt.</summary>
public sealed record MakeSlurmJob(int Attempt) : Effect;

/// <summary>Tells SlurmJobs to end.</summary>
public sealed record EndSlurmJobs(IReadOnlyList<SlurmJob> Jobs) : Effect;
