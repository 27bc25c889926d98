using System.Diagnostics;
using System.Text.Json.Nodes;
using CsCheck;

namespace Trestle.Local.ApiMachinery.Tests.Schemas;

public sealed class StructuralSchemaTests
{
    [Theory]
    [InlineData("'a':{'type':'string','pattern':'^[a-z]+$'}", "{'a':'A'}", "spec.a: Invalid value: \"A\": spec.a in body should match '^[a-z]+$'")]
    [InlineData("'a':{'type':'string','pattern':'^[a-z]+$'}", "{'a':'b\\n'}", "spec.a: Invalid value: \"b\\n\": spec.a in body should match '^[a-z]+$'")]
    [InlineData("'a':{'type':'string','maxLength':3}", "{'a':'abcd'}", "spec.a: Too long: may not be more than 3 bytes")]
    [InlineData("'a':{'type':'string','minLength':1}", "{'a':''}", "spec.a: Invalid value: \"\": spec.a in body should be at least 1 chars long")]
    [InlineData("'a':{'type':'string','format':'date-time'}", "{'a':'noon'}", "spec.a: Invalid value: \"noon\": spec.a in body must be of type date-time: \"noon\"")]
    [InlineData("'a':{'type':'number','maximum':1,'exclusiveMaximum':true}", "{'a':1}", "spec.a: Invalid value: 1: spec.a in body should be less than 1")]
    [InlineData("'a':{'type':'integer'}", "{'a':1.5}", "spec.a: Invalid value: \"number\": spec.a in body must be of type integer: \"number\"")]
    [InlineData("'a':{'type':'array','maxItems':1,'items':{'type':'string'}}", "{'a':['x','y']}", "spec.a: Too many: 2: must have at most 1 items")]
    [InlineData("'a':{'type':'array','items':{'type':'string'}}", "{'a':[1]}", "spec.a[0]: Invalid value: \"integer\": spec.a[0] in body must be of type string: \"integer\"")]
    [InlineData("'a':{'type':'array','items':{'type':'string'}}", "{'a':[null]}", "spec.a[0]: Invalid value: \"null\": spec.a[0] in body must be of type string: \"null\"")]
    [InlineData("'a':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}}", "{'a':['x','x']}", "spec.a[1]: Duplicate value: \"x\"")]
    [InlineData("'a':{'type':'object','additionalProperties':{'type':'integer'}}", "{'a':{'k':'v'}}", "spec.a.k: Invalid value: \"string\": spec.a.k in body must be of type integer: \"string\"")]
    [InlineData("'a':{'x-kubernetes-int-or-string':true}", "{'a':true}", "spec.a: Invalid value: \"boolean\": spec.a in body must be of type integer,string: \"boolean\"")]
    [InlineData("'a':{'type':'object','properties':{'x':{'type':'integer'},'y':{'type':'integer'}},'oneOf':[{'required':['x']},{'required':['y']}]}", "{'a':{}}", "spec.a: Invalid value: {}: \"spec.a\" must validate one and only one schema (oneOf). Found none valid")]
    public void A_value_that_does_not_fit_is_named(string properties, string spec, string error) => CrdSchemas.Spec(properties).Errors(spec).ShouldBe([error]);

    [Theory]
    [InlineData("'a':{'type':'integer'}", "{'a':2.0}")]
    [InlineData("'a':{'type':'string','nullable':true}", "{'a':null}")]
    [InlineData("'a':{'x-kubernetes-int-or-string':true}", "{'a':'50%'}")]
    [InlineData("'a':{'x-kubernetes-preserve-unknown-fields':true}", "{'a':[1,{'b':2}]}")]
    [InlineData("'a':{'type':'string','maxLength':2}", "{'a':'éé'}")]
    public void A_value_that_fits_passes(string properties, string spec) => CrdSchemas.Spec(properties).Errors(spec).ShouldBeEmpty();

    [Theory]
    [InlineData("'a':{}", "spec.validation.openAPIV3Schema.properties[spec].properties[a].type: Required value: must not be empty for specified object fields")]
    [InlineData("'a':{'type':'array','items':{}}", "spec.validation.openAPIV3Schema.properties[spec].properties[a].items.type: Required value: must not be empty for specified array items")]
    [InlineData("'a':{'type':'text'}", "spec.validation.openAPIV3Schema.properties[spec].properties[a].type: Unsupported value: \"text\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"")]
    [InlineData("'a':{'type':'integer','default':'x'}", "spec.validation.openAPIV3Schema.properties[spec].properties[a].default: Invalid value: \"string\": spec.validation.openAPIV3Schema.properties[spec].properties[a].default in body must be of type integer: \"string\"")]
    [InlineData("'a':{'type':'array','x-kubernetes-list-type':'map','items':{'type':'object'}}", "spec.validation.openAPIV3Schema.properties[spec].properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map")]
    [InlineData("'a':{'type':'string','anyOf':[{'type':'string','default':'x'}]}", "spec.validation.openAPIV3Schema.properties[spec].properties[a].anyOf[0].default: Forbidden: must be empty to be structural")]
    public void A_schema_that_is_not_structural_is_refused(string properties, string error) =>
        Should.Throw<SchemaException>(() => CrdSchemas.Spec(properties)).Errors.Select(e => e.Message).ShouldContain(error);

    [Fact]
    public void An_unchanged_bad_value_does_not_block_an_update()
    {
        var schema = CrdSchemas.Spec("'a':{'type':'string','maxLength':2},'b':{'type':'integer'}");
        schema.Errors("{'a':'long','b':2}", "{'a':'long','b':1}").ShouldBeEmpty();
        schema.Errors("{'a':'longer','b':2}", "{'a':'long','b':1}").Count().ShouldBe(1);
    }

    [Fact]
    public void Defaults_fill_nested_objects_that_are_there_and_replace_nulls()
    {
        var schema = CrdSchemas.Spec("'a':{'type':'object','properties':{'x':{'type':'integer','default':1}}},'b':{'type':'object','default':{},'properties':{'y':{'type':'string','default':'z'}}},'c':{'type':'string'},'d':{'type':'string','nullable':true}");
        var obj = CrdSchemas.Object("{'a':{'x':null},'c':null,'d':null}");
        schema.ApplyDefaults(obj);
        obj["spec"].ShouldBeJson("{'a':{'x':1},'b':{'y':'z'},'d':null}");
    }

    [Fact]
    public void Unknown_fields_are_named_by_their_path_and_metadata_is_known()
    {
        var schema = CrdSchemas.Spec("'a':{'type':'array','items':{'type':'object','properties':{'x':{'type':'integer'}}}},'free':{'type':'object','x-kubernetes-preserve-unknown-fields':true,'properties':{'k':{'type':'object','properties':{}}}}");
        var obj = CrdSchemas.Object("{'a':[{'x':1,'y':2}],'free':{'any':{'thing':1},'k':{'gone':1}}}");
        obj["metadata"]!["labels"] = new JsonObject { ["l"] = "1" };
        obj["metadata"]!["bogus"] = 1;
        schema.Prune(obj).ShouldBe(["metadata.bogus", "spec.a[0].y", "spec.free.k.gone"]);
        obj["spec"].ShouldBeJson("{'a':[{'x':1}],'free':{'any':{'thing':1},'k':{}}}");
    }

    [Fact]
    public void Pruning_and_defaulting_twice_change_nothing_more() =>
        RandomJson.Object.Sample(json =>
        {
            var schema = RecordedRequest.Schema();
            var obj = new JsonObject { ["metadata"] = new JsonObject(), ["spec"] = json.DeepClone(), ["status"] = json.DeepClone() };
            schema.Prune(obj);
            schema.ApplyDefaults(obj);
            var once = obj.ToJsonString();
            schema.Prune(obj).ShouldBeEmpty();
            schema.ApplyDefaults(obj);
            obj.ToJsonString().ShouldBe(once);
            schema.Validate(obj);
        }, iter: 2_000);

    [Fact]
    public void A_three_kilobyte_object_is_checked_well_under_a_millisecond()
    {
        var schema = RecordedRequest.Schema();
        var obj = RecordedRequest.Load(49).AnswerObject;
        obj["spec"]!["env"] = new JsonArray([.. Enumerable.Range(0, 60).Select(i => (JsonNode)new JsonObject { ["name"] = $"VARIABLE_{i}", ["value"] = $"value-{i}" })]);
        for (var i = 0; i < 50; i++) schema.Validate(obj);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 100; i++) schema.Validate(obj).ShouldBeEmpty();
        // Ten times what it takes here: an order of growth is caught, a busy machine is not.
        (watch.Elapsed.TotalMilliseconds / 100).ShouldBeLessThan(5);
    }
}
