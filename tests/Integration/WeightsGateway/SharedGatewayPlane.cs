using Trestle.Testing.Engine;

namespace Trestle.Integration.Tests.WeightsGateway;

/// <summary>One plane for the tests of a class.</summary>
public sealed class SharedGatewayPlane : IAsyncLifetime
{
    public GatewayPlane Plane { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Plane = await GatewayPlane.StartAsync();

    public ValueTask DisposeAsync() => Plane.DisposeAsync();
}
