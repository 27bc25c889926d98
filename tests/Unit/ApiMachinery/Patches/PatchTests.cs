using System.Text.Json.Nodes;
using CsCheck;

namespace Trestle.Local.ApiMachinery.Tests.Patches;

public sealed class PatchTests
{
    private static readonly TypeSchema Pod = BuiltInSchemas.For("", "v1", "Pod");

    [Theory] // RFC 7386, appendix A
    [InlineData("{'a':'b'}", "{'a':'c'}", "{'a':'c'}")]
    [InlineData("{'a':'b'}", "{'a':null}", "{}")]
    [InlineData("{'a':['b']}", "{'a':'c'}", "{'a':'c'}")]
    [InlineData("{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}")]
    [InlineData("{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}")]
    [InlineData("['a','b']", "['c','d']", "['c','d']")]
    [InlineData("{'a':'foo'}", "null", "null")]
    [InlineData("{'e':null}", "{'a':1}", "{'e':null,'a':1}")]
    [InlineData("[1,2]", "{'a':'b','c':null}", "{'a':'b'}")]
    [InlineData("{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}")]
    public void A_merge_patch_does_what_its_standard_says(string original, string patch, string result) =>
        MergePatch.Apply(Parse(original), Parse(patch)).ShouldBeJson(result);

    [Theory]
    [InlineData("{'a':1}", "[{'op':'add','path':'/b','value':2}]", "{'a':1,'b':2}")]
    [InlineData("{'a':[1,3]}", "[{'op':'add','path':'/a/1','value':2}]", "{'a':[1,2,3]}")]
    [InlineData("{'a':[1]}", "[{'op':'add','path':'/a/-','value':2}]", "{'a':[1,2]}")]
    [InlineData("{'a':{'b':1}}", "[{'op':'move','from':'/a/b','path':'/c'}]", "{'a':{},'c':1}")]
    [InlineData("{'a':1}", "[{'op':'copy','from':'/a','path':'/b'},{'op':'replace','path':'/a','value':null}]", "{'a':null,'b':1}")]
    [InlineData("{'a/b':1,'m~n':2}", "[{'op':'remove','path':'/a~1b'},{'op':'test','path':'/m~0n','value':2}]", "{'m~n':2}")]
    [InlineData("{'a':1}", "[{'op':'replace','path':'','value':{'b':2}}]", "{'b':2}")]
    public void A_json_patch_does_what_its_standard_says(string original, string patch, string result) =>
        JsonPatch.Apply(Parse(original), (JsonArray)Parse(patch)!).ShouldBeJson(result);

    [Theory]
    [InlineData("[{'op':'remove','path':'/none'}]")]
    [InlineData("[{'op':'add','path':'/a/5','value':1}]")]
    [InlineData("[{'op':'add','path':'/a/01','value':1}]")]
    [InlineData("[{'op':'add','path':'/none/x','value':1}]")]
    [InlineData("[{'op':'replace','path':'/none','value':1}]")]
    [InlineData("[{'op':'test','path':'/a','value':1}]")]
    [InlineData("[{'op':'move','from':'/o','path':'/o/p'}]")]
    [InlineData("[{'op':'frob','path':'/a'}]")]
    [InlineData("[{'op':'add','path':'a','value':1}]")]
    [InlineData("[{'op':'add','path':'/b'}]")]
    public void A_json_patch_that_does_not_fit_is_refused(string patch) =>
        Should.Throw<PatchException>(() => JsonPatch.Apply(Parse("{'a':[1],'o':{}}"), (JsonArray)Parse(patch)!)).StatusCode.ShouldBe(422);

    [Fact]
    public void Patches_leave_their_arguments_alone()
    {
        var original = Parse("{'a':{'b':[1]}}")!;
        MergePatch.Apply(original, Parse("{'a':{'b':null}}"));
        JsonPatch.Apply(original, (JsonArray)Parse("[{'op':'remove','path':'/a/b/0'}]")!);
        StrategicMergePatch.Apply((JsonObject)original, (JsonObject)Parse("{'a':{'b':null}}")!, Pod);
        original.ShouldBeJson("{'a':{'b':[1]}}");
    }

    [Fact]
    public void Merging_a_patch_twice_is_merging_it_once() =>
        Gen.Select(RandomJson.Object, RandomJson.Object).Sample((original, patch) =>
        {
            var once = MergePatch.Apply(original, patch);
            JsonNode.DeepEquals(MergePatch.Apply(once, patch), once).ShouldBeTrue();
        });

    [Fact]
    public void The_difference_applied_gives_the_other_object() =>
        Gen.Select(RandomJson.Object.Select(WithoutNulls), RandomJson.Object.Select(WithoutNulls)).Sample((from, to) =>
        {
            var patched = MergePatch.Apply(from, MergePatch.Diff(from, to));
            JsonNode.DeepEquals(patched, to).ShouldBeTrue($"{from.ToJsonString()} -> {to.ToJsonString()}: {patched?.ToJsonString()}");
        });

    [Theory]
    [InlineData("{'spec':{'containers':[{'name':'a','image':'2'}]}}", "[{'name':'a','image':'2','env':[{'name':'X','value':'1'}]},{'name':'b','image':'1'}]")]
    [InlineData("{'spec':{'containers':[{'name':'c','image':'1'}]}}", "[{'name':'a','image':'1','env':[{'name':'X','value':'1'}]},{'name':'b','image':'1'},{'name':'c','image':'1'}]")]
    [InlineData("{'spec':{'containers':[{'name':'a','$patch':'delete'}]}}", "[{'name':'b','image':'1'}]")]
    [InlineData("{'spec':{'containers':[{'$patch':'replace'},{'name':'z','image':'1'}]}}", "[{'name':'z','image':'1'}]")]
    [InlineData("{'spec':{'containers':[{'name':'a','env':[{'name':'Y','value':'2'}]}]}}", "[{'name':'a','image':'1','env':[{'name':'X','value':'1'},{'name':'Y','value':'2'}]},{'name':'b','image':'1'}]")]
    [InlineData("{'spec':{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}]}}", "[{'name':'b','image':'1'},{'name':'a','image':'1','env':[{'name':'X','value':'1'}]}]")]
    public void Containers_merge_by_name(string patch, string containers)
    {
        var pod = CrdSchemas.Json("{'spec':{'containers':[{'name':'a','image':'1','env':[{'name':'X','value':'1'}]},{'name':'b','image':'1'}]}}");
        StrategicMergePatch.Apply(pod, CrdSchemas.Json(patch), Pod)["spec"]!["containers"].ShouldBeJson(containers);
    }

    [Fact]
    public void Finalizers_merge_as_a_set_and_leave_by_directive()
    {
        var pod = CrdSchemas.Json("{'metadata':{'finalizers':['a','b']}}");
        StrategicMergePatch.Apply(pod, CrdSchemas.Json("{'metadata':{'finalizers':['b','c']}}"), Pod)["metadata"]!["finalizers"].ShouldBeJson("['a','b','c']");
        StrategicMergePatch.Apply(pod, CrdSchemas.Json("{'metadata':{'$deleteFromPrimitiveList/finalizers':['a']}}"), Pod)["metadata"]!["finalizers"].ShouldBeJson("['b']");
    }

    [Fact]
    public void Tolerations_are_replaced_whole()
    {
        var pod = CrdSchemas.Json("{'spec':{'tolerations':[{'key':'a'},{'key':'b'}]}}");
        StrategicMergePatch.Apply(pod, CrdSchemas.Json("{'spec':{'tolerations':[{'key':'c'}]}}"), Pod)["spec"]!["tolerations"].ShouldBeJson("[{'key':'c'}]");
    }

    [Fact]
    public void A_map_can_be_replaced_deleted_or_reduced_to_what_is_retained()
    {
        var pod = CrdSchemas.Json("{'metadata':{'labels':{'a':'1','b':'2'}}}");
        StrategicMergePatch.Apply(pod, CrdSchemas.Json("{'metadata':{'labels':{'$patch':'replace','c':'3'}}}"), Pod)["metadata"]!["labels"].ShouldBeJson("{'c':'3'}");
        StrategicMergePatch.Apply(pod, CrdSchemas.Json("{'metadata':{'labels':{'$patch':'delete'}}}"), Pod)["metadata"].ShouldBeJson("{}");
        StrategicMergePatch.Apply(pod, CrdSchemas.Json("{'metadata':{'labels':{'$retainKeys':['a'],'a':'9'}}}"), Pod)["metadata"]!["labels"].ShouldBeJson("{'a':'9'}");
    }

    [Theory]
    [InlineData("{'spec':{'containers':[{'image':'x'}]}}")]
    [InlineData("{'spec':{'containers':['x']}}")]
    [InlineData("{'spec':{'$patch':'frob'}}")]
    public void A_strategic_patch_that_makes_no_sense_is_refused(string patch) =>
        Should.Throw<PatchException>(() => StrategicMergePatch.Apply(CrdSchemas.Json("{'spec':{'containers':[{'name':'a'}]}}"), CrdSchemas.Json(patch), Pod)).StatusCode.ShouldBe(400);

    [Fact]
    public void A_strategic_patch_without_lists_is_a_merge_patch() =>
        Gen.Select(RandomJson.Object, RandomJson.Object).Sample((original, patch) =>
        {
            var type = new TypeSchema { Kind = NodeKind.Map, Element = TypeSchema.Deduced };
            JsonNode.DeepEquals(StrategicMergePatch.Apply(original, patch, type), MergePatch.Apply(original, patch)).ShouldBeTrue();
        });

    private static JsonNode? Parse(string text) => JsonNode.Parse(text.Replace('\'', '"'));

    private static JsonObject WithoutNulls(JsonObject obj)
    {
        TypeSchema.DropNulls(obj);
        return obj;
    }
}
