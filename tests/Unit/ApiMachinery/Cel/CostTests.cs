using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery.Cel;

namespace Trestle.Local.ApiMachinery.Tests.Cel;

/// <summary>Estimates equal those Kubernetes asserts of itself (apiextensions-apiserver, <c>TestCostEstimation</c>), so that the same CRDs pass.</summary>
public sealed class CostTests
{
    private const string Strings = "{'type':'array','items':{'type':'string'LENGTH}ITEMS}";

    [Theory]
    [InlineData("{'type':'array','items':{'type':'number'}ITEMS}", "self.all(x, true)", 4718591, 10, 32)]
    [InlineData("{'type':'array','items':{'type':'string'}ITEMS}", "self.all(x, true)", 3145727, 20, 62)]
    [InlineData("{'type':'array','items':{'type':'boolean'}ITEMS}", "self.all(x, true)", 1887437, 5, 17)]
    [InlineData("{'type':'array','items':{'type':'array','items':{'type':'number'}}ITEMS}", "self.all(x, true)", 3145727, 100, 302)]
    [InlineData("{'type':'array','items':{'type':'object','required':['required'],'properties':{'required':{'type':'string'},'optional':{'type':'string'}}}ITEMS}", "self.all(x, true)", 555128, 50, 152)]
    [InlineData("{'type':'object','additionalProperties':{'type':'number'}PROPERTIES}", "self.all(x, true)", 1348169, 10, 32)]
    [InlineData("{'type':'object','additionalProperties':{'type':'string'}PROPERTIES}", "self.all(x, true)", 1179647, 3, 11)]
    [InlineData("{'type':'string'LENGTH}", "self.contains('test')", 314574, 10, 5)]
    [InlineData("{'type':'string'LENGTH}", "self.startsWith('test')", 2, 15, 2)]
    [InlineData("{'type':'string'LENGTH}", "size(self + 'hello') > size('hello')", 314578, 4, 7)]
    [InlineData("{'type':'array','items':{'type':'number'}ITEMS}", "self[1] == 0.0", 2, 5000, 2)]
    [InlineData("{'type':'array','items':{'type':'string'}ITEMS}", "self[1] == self[1]", 314577, 8, 314577)]
    [InlineData("{'type':'array','items':{'type':'number'}ITEMS}", "self.all(x, self.all(y, true))", 0, 10, 352)]
    [InlineData("{'type':'array','items':{'type':'number'}ITEMS}", "self.all(x, self.all(y, self.all(z, true)))", 0, 10, 3552)]
    [InlineData("{'type':'string'LENGTH}", "self.matches('x')", 314574, 50, 22)]
    [InlineData("{'type':'string'LENGTH}", "''.matches('(((((((((())))))))))[0-9]')", 7, 10, 7)]
    [InlineData("{'type':'string'LENGTH}", "self.matches('')", 1, 100, 1)]
    [InlineData("{'type':'object','additionalProperties':{'type':'string'LENGTH}PROPERTIES}", "self.all(x, x.contains(self[x]))", 2752507, 10, 72)]
    [InlineData("{'type':'string'LENGTH}", "self == 'x'", 2, 0, 1)]
    [InlineData("{'type':'array','items':{'type':'number'}ITEMS}", "self.all(x, x == 0.0)", 6291454, 6291456, 25165826)]
    [InlineData("{'type':'array','items':{'x-kubernetes-int-or-string':true}ITEMS}", "self[0] == 5", 3, 10, 3)]
    [InlineData("{'type':'array','items':{'type':'object','properties':{'a':{'type':'string'}}}ITEMS}", "self[0] == null", 2, 422, 2)]
    [InlineData("{'type':'array','items':{'type':'object','additionalProperties':{'type':'number'}}ITEMS}", "self.all(x, x.y == 25.2)", 6291452, 12, 74)]
    [InlineData("{'type':'array','items':{'type':'object','additionalProperties':{'type':'number'}}ITEMS}", "self[0].x > 2.0", 4, 3000, 4)]
    [InlineData("{'type':'array','items':{'type':'string','format':'duration'}ITEMS}", "self.all(x, true)", 2359295, 5, 17)]
    [InlineData("{'type':'array','items':{'type':'string','format':'duration'}ITEMS}", "self[0].getHours() == 2", 4, 525, 4)]
    [InlineData("{'type':'array','items':{'type':'string','format':'date'}ITEMS}", "self.all(x, true)", 725936, 15, 47)]
    [InlineData("{'type':'array','items':{'type':'string','format':'date-time'}ITEMS}", "self.all(x, true)", 428963, 25, 77)]
    [InlineData("{'type':'array','items':{'type':'string','format':'date-time'}ITEMS}", "self[2].getMinutes() == 45", 4, 99, 4)]
    [InlineData("{'type':'string'LENGTH}", "self.find('[0-9]+') == ''", 629147, 10, 11)]
    [InlineData(Strings, "self.join(' ') == 'aa bb'", 329853068905, 10, 43)]
    [InlineData(Strings, "self.isSorted() == true", 329854432052, 10, 52)]
    [InlineData("{'type':'object','properties':{'str':{'type':'string'LENGTH},'before':{'type':'string','maxLength':2},'after':{'type':'string','maxLength':4}}}", "self.str.replace(self.before, self.after) == 'does not matter'", 629154, 4, 12)]
    [InlineData("{'type':'object','properties':{'str':{'type':'string'LENGTH},'separator':{'type':'string'LENGTH}}}", "self.str.split(self.separator) == []", 629160, 10, 22)]
    [InlineData("{'type':'string'LENGTH}", "self.lowerAscii() == 'lower!'", 314575, 10, 6)]
    [InlineData("{'type':'object','additionalProperties':{'type':'integer'}PROPERTIES}", "oldSelf.size() == self.size()", 5, 10, 5)]
    [InlineData("{'type':'object','additionalProperties':{'type':'string','format':'date-time'}PROPERTIES}", "self['a'] == self['b']", 8, 7, 8)]
    [InlineData("{'type':'object','additionalProperties':{'type':'string','format':'duration'}PROPERTIES}", "self['c'] == self['d']", 8, 42, 8)]
    [InlineData("{'type':'string','enum':['A','B','C','LongValue']LENGTH}", "self.contains('A')", 2, 1000, 401)]
    public void An_estimate_is_the_one_of_kubernetes(string schema, string rule, long open, int bound, long bounded)
    {
        if (open > 0) CostOf(schema, rule, null).ShouldBe((ulong)open);
        CostOf(schema, rule, bound).ShouldBe((ulong)bounded);
    }

    private static ulong CostOf(string schema, string rule, int? bound)
    {
        string Limit(string name) => bound is null ? "" : $",'{name}':{bound}";
        var json = CrdSchemas.Json(schema.Replace("ITEMS", Limit("maxItems")).Replace("LENGTH", Limit("maxLength")).Replace("PROPERTIES", Limit("maxProperties")));
        var errors = new List<FieldError>();
        var node = new SchemaReader(errors).ReadRoot(new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["it"] = json } }, "").Properties["it"];
        errors.ShouldBeEmpty();
        var self = new SchemaCelTypes().Of(node, false)!;
        return new Checker(rule).Check(Parser.Parse(rule), new Dictionary<string, CelType> { ["self"] = self, ["oldSelf"] = self }).Cost;
    }
}
