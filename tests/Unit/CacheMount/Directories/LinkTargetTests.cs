using Trestle.CacheMount.Directories;

namespace Trestle.CacheMount.Tests.Directories;

public sealed class LinkTargetTests
{
    [Theory]
    [InlineData("latest", "step-1", true)]
    [InlineData("a/b", "../c", true)]
    [InlineData("a/b", "./c/d", true)]
    [InlineData("a/b/c", "../../d", true)]
    [InlineData("a", "..", false)]
    [InlineData("a/b", "../../c", false)]
    [InlineData("a", "/etc/passwd", false)]
    [InlineData("a/b", "c/../../../d", false)]
    [InlineData("a/b", "c/..", false)]
    [InlineData("a", "", false)]
    public void A_link_may_lead_to_what_is_in_the_storage(string path, string target, bool staysInside) => LinkTarget.StaysInside(path, target).ShouldBe(staysInside);
}
