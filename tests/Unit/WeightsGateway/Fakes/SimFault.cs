namespace Trestle.WeightsGateway.Tests.Fakes;

/// <summary>What happens at a call to an engine.</summary>
public enum SimFault
{
    None,
    Refuse,
    Partial,
    Hang,
    HangAfter,
    KillEngine,
    KillGatewayBefore,
    KillGatewayAfter,
}
