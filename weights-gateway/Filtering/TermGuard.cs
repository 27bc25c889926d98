using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Trestle.WeightsGateway.Filtering;

/// <summary>Of two gateways only the later one changes the engine: a fence for one that does not know yet that it was taken over.</summary>
internal sealed class TermGuard
{
    /// <summary>Header with the number of the gateway that asks.</summary>
    public const string Header = "x-trestle-gateway-term";

    private long _highest;

    /// <summary>False: a gateway with a higher number has asked before. Looking is free for all.</summary>
    public bool Lets(HttpContext context)
    {
        var term = long.TryParse(context.Request.Headers[Header], NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : 0;
        context.Request.Headers.Remove(Header);
        var before = Volatile.Read(ref _highest);
        while (term > before)
        {
            var there = Interlocked.CompareExchange(ref _highest, term, before);
            if (there == before) return true;
            before = there;
        }

        return term == before || HttpMethods.IsGet(context.Request.Method);
    }
}
