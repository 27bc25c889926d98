namespace Trestle.WeightsGateway.Tests.Fakes;

/// <summary>The gateway is killed at this point.</summary>
internal sealed class GatewayDiedException() : Exception("killed here");
