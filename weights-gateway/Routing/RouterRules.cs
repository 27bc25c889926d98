using Trestle.Api.V1Alpha1;

namespace Trestle.WeightsGateway.Routing;

/// <summary>What the spec says about requests.</summary>
/// <param name="Policy">How a replica is chosen.</param>
/// <param name="SessionHeader">Header that names the session.</param>
public sealed record RouterRules(RouterPolicy Policy = RouterPolicy.LeastRequest, string SessionHeader = "x-session-id")
{
    /// <summary>Reads a spec.</summary>
    public static RouterRules Of(InferenceServiceSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return new(spec.Router?.Policy ?? RouterPolicy.LeastRequest, spec.Router?.SessionHeader ?? "x-session-id");
    }
}
