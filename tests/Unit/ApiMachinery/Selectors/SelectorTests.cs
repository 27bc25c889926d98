namespace Trestle.Local.ApiMachinery.Tests.Selectors;

public sealed class SelectorTests
{
    private static readonly Dictionary<string, string> Labels = new() { ["app"] = "train", ["tier"] = "gpu", ["n"] = "5", ["trestle.dev/rank"] = "0" };

    [Theory]
    [InlineData("", true)]
    [InlineData("app=train", true)]
    [InlineData("app==train,tier!=cpu", true)]
    [InlineData("app=other", false)]
    [InlineData("app in (train, eval)", true)]
    [InlineData("app notin (train)", false)]
    [InlineData("missing notin (a)", true)]
    [InlineData("app", true)]
    [InlineData("!app", false)]
    [InlineData("!missing", true)]
    [InlineData("missing!=x", true)]
    [InlineData("n>4,n<6", true)]
    [InlineData("n>5", false)]
    [InlineData("trestle.dev/rank=0", true)]
    [InlineData("app=", false)]
    public void A_label_selector_matches(string selector, bool matches) => LabelSelector.Parse(selector).Matches(Labels).ShouldBe(matches);

    [Theory]
    [InlineData("a in b")]
    [InlineData("a in (b")]
    [InlineData("a,,b")]
    [InlineData(",a")]
    [InlineData("a=b c")]
    [InlineData("-bad=1")]
    [InlineData("a=$x")]
    [InlineData("a>x")]
    [InlineData("(")]
    public void A_label_selector_that_cannot_be_read_is_refused(string selector) => Should.Throw<SelectorException>(() => LabelSelector.Parse(selector));

    [Fact]
    public void A_field_selector_is_read_with_its_operators_and_escapes() =>
        FieldSelector.Parse(@"metadata.name=a,spec.nodeName!=b,status.phase==Running,x=a\,b\=c").Requirements.ShouldBe(
        [
            new("metadata.name", "=", "a"), new("spec.nodeName", "!=", "b"), new("status.phase", "=", "Running"), new("x", "=", "a,b=c"),
        ]);

    [Theory]
    [InlineData("name")]
    [InlineData("a=b=c")]
    [InlineData(@"a=b\x")]
    public void A_field_selector_that_cannot_be_read_is_refused(string selector) => Should.Throw<SelectorException>(() => FieldSelector.Parse(selector));

    [Fact]
    public void A_field_selector_matches_what_it_reads()
    {
        var fields = new Dictionary<string, string> { ["metadata.name"] = "a", ["spec.nodeName"] = "" };
        FieldSelector.Parse("metadata.name=a,spec.nodeName=").Matches(p => fields[p]).ShouldBeTrue();
        FieldSelector.Parse("metadata.name!=a").Matches(p => fields[p]).ShouldBeFalse();
    }
}
