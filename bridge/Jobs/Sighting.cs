using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>What the last look into Slurm says of a job.</summary>
internal abstract record Sighting;

/// <summary>Slurm knows it.</summary>
/// <param name="Job">What it says.</param>
/// <param name="Since">When this process first saw it there, by the steady clock.</param>
internal sealed record Seen(JobRecord Job, TimeSpan Since) : Sighting;

/// <summary>Slurm could not be asked, or its answer was not whole. Says nothing about the job.</summary>
internal sealed record OutOfSight(string Why) : Sighting;

/// <summary>The queue answered and does not know it, and accounting has nothing to say about its end.</summary>
/// <param name="Since">When that was so for the first time, by the steady clock.</param>
/// <param name="Looks">How often it was so since.</param>
/// <param name="AccountingAnswered">Accounting could be asked.</param>
internal sealed record Missing(TimeSpan Since, int Looks, bool AccountingAnswered) : Sighting;
