using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>One plane of four nodes with eight declared H100 each, shared by the tests of a class.</summary>
public sealed class FourNodes : IAsyncLifetime
{
    private LocalPlane? plane;

    public LocalPlane Plane => plane ?? throw new InvalidOperationException("the plane has not started");

    public async ValueTask InitializeAsync() => plane = await LocalPlane.StartAsync(nodes: 4, gpus: "H100:8");

    public ValueTask DisposeAsync() => plane?.DisposeAsync() ?? ValueTask.CompletedTask;
}
