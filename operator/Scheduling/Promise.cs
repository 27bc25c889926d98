namespace Trestle.Operator.Scheduling;

/// <summary>Nodes that nobody later in order may take.</summary>
/// <param name="Gang">Who has them.</param>
/// <param name="Placed">The nodes.</param>
/// <param name="IsReservation">For one that waited too long; else room that is about to be free.</param>
/// <param name="Reason">What the others are told.</param>
internal sealed record Promise(Gang Gang, List<Placement> Placed, bool IsReservation, string Reason)
{
    public void TakeBack(Placer placer)
    {
        if (IsReservation) placer.Unreserve(Placed);
        else placer.GiveBack(Placed, Room.Later);
    }

    /// <summary>Whether it is about nodes that jobs of a shape could use.</summary>
    public bool Touches(JobFits fits) => Placed.Exists(placement => placement.Fill.Any(part => fits.Matches[part.Node]));
}
