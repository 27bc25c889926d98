using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Tests.Updates;

public sealed class ReadyMarkersTests
{
    [Theory]
    [InlineData("/checkpoints/step-7", true)]
    [InlineData("http://store/step-7", true)]
    [InlineData("https://store/step-7", true)]
    [InlineData("s3://ckpts/step-7", false)]
    [InlineData("hf://org/model", false)]
    [InlineData("step-7", false)]
    public void Markers_are_looked_for_only_where_they_can_be_seen(string uri, bool sees)
    {
        using var markers = new ReadyMarkers();
        markers.CanSee(uri).ShouldBe(sees);
    }
}
