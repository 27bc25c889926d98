namespace Trestle.Operator.Scheduling;

/// <summary>
/// What would be free if everybody gave way whom gangs of one priority could ever take: more than any of them gets, and it tells
/// at once of most that not even all of that would let them in.
/// </summary>
/// <param name="room">The ledger of that, whose Later is looked at.</param>
internal sealed class Reach(Ledger room)
{
    private readonly Dictionary<JobFits, JobFits> _fits = [];

    /// <summary>Whether each job of a gang, as far as it is alone, has room.</summary>
    public bool HasRoom(Gang gang, Placer placer)
    {
        foreach (var job in gang.Jobs)
        {
            var here = placer.Of(job);
            if (!_fits.TryGetValue(here, out var there)) _fits[here] = there = new JobFits(room, here.Shape, here.Ask, here.Matches, here.Domains);
            if (!there.HasRoom(Room.Later, job)) return false;
        }

        return true;
    }
}
