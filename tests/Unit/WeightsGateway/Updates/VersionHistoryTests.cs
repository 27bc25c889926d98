using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Tests.Updates;

public sealed class VersionHistoryTests
{
    private static readonly VersionHistory History = VersionHistory.Empty.With("a").With("b").With("c");

    [Theory]
    [InlineData("c", true)]
    [InlineData("b", false)]
    [InlineData("default", false)]
    [InlineData("x", false)]
    public void Only_the_newest_may_be_served_where_nothing_is_said(string version, bool may) => History.MayServe(version, null).ShouldBe(may);

    [Theory]
    [InlineData(0, "b", false)]
    [InlineData(1, "b", true)]
    [InlineData(1, "a", false)]
    [InlineData(3, "default", true)]
    [InlineData(9, "x", false)]
    public void Lag_counts_versions_as_they_were_completed(int lag, string version, bool may) =>
        History.MayServe(version, new MinServingVersion { Policy = MinServingPolicy.MaxLag, Lag = lag }).ShouldBe(may);

    [Fact]
    public void Any_version_may_be_served_where_that_is_said() => History.MayServe("x", new MinServingVersion { Policy = MinServingPolicy.Any }).ShouldBeTrue();

    [Fact]
    public void Before_the_first_update_engines_serve_what_they_were_started_with() => VersionHistory.Empty.MayServe("default", null).ShouldBeTrue();

    [Fact]
    public void A_version_that_comes_again_is_the_newest() => History.With("a").Versions.ShouldBe(["default", "b", "c", "a"]);
}
