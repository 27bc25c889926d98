using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery.Tests.Cel;

public sealed class RuleTests
{
    private const string Jobs = "'nodes':{'type':'integer'},'name':{'type':'string','maxLength':63},'tasks':{'type':'array','maxItems':16,'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['name'],"
        + "'items':{'type':'object','required':['name'],'properties':{'name':{'type':'string','maxLength':63},'size':{'type':'integer'}}}}";

    [Fact]
    public void A_rule_that_fails_names_itself_when_it_has_no_message() =>
        CrdSchemas.Spec(Jobs, "self.nodes > 0").Errors("{'nodes':0}").ShouldBe(["spec: Invalid value: failed rule: self.nodes > 0"]);

    [Fact]
    public void A_message_expression_has_the_last_word()
    {
        var schema = CrdSchemas.SpecSchema(Jobs, "self.nodes > 0");
        schema["properties"]!["spec"]!["x-kubernetes-validations"]![0]!["message"] = "plain";
        schema["properties"]!["spec"]!["x-kubernetes-validations"]![0]!["messageExpression"] = "'job ' + self.name + ' has no nodes'";
        var compiled = StructuralSchema.FromCrd(schema);
        compiled.Errors("{'nodes':0,'name':'x'}").ShouldBe(["spec: Invalid value: job x has no nodes"]);
        compiled.Errors("{'nodes':0}").ShouldBe(["spec: Invalid value: plain"]);
    }

    [Fact]
    public void A_reason_and_a_field_path_shape_the_error()
    {
        var schema = CrdSchemas.SpecSchema(Jobs, "self.nodes > 0");
        var rule = schema["properties"]!["spec"]!["x-kubernetes-validations"]![0]!;
        (rule["reason"], rule["fieldPath"], rule["message"]) = ("FieldValueForbidden", ".nodes", "no");
        StructuralSchema.FromCrd(schema).Errors("{'nodes':0}").ShouldBe(["spec.nodes: Forbidden: no"]);
    }

    [Fact]
    public void A_transition_rule_sees_items_by_their_keys()
    {
        var schema = CrdSchemas.SpecSchema(Jobs);
        schema["properties"]!["spec"]!["properties"]!["tasks"]!["items"]!["x-kubernetes-validations"] =
            new JsonArray(new JsonObject { ["rule"] = "self.size == oldSelf.size", ["message"] = "size is immutable" });
        var compiled = StructuralSchema.FromCrd(schema);
        const string Old = "{'tasks':[{'name':'a','size':1},{'name':'b','size':2}]}";
        compiled.Errors("{'tasks':[{'name':'b','size':2},{'name':'a','size':1},{'name':'c','size':9}]}", Old).ShouldBeEmpty();
        compiled.Errors("{'tasks':[{'name':'b','size':3}]}", Old).ShouldBe(["spec.tasks[0]: Invalid value: size is immutable"]);
    }

    [Fact]
    public void An_optional_old_value_lets_a_rule_run_at_creation()
    {
        var schema = CrdSchemas.SpecSchema(Jobs, "oldSelf.hasValue() || self.nodes == 1");
        schema["properties"]!["spec"]!["x-kubernetes-validations"]![0]!["optionalOldSelf"] = true;
        var compiled = StructuralSchema.FromCrd(schema);
        compiled.Errors("{'nodes':2}").Count().ShouldBe(1);
        compiled.Errors("{'nodes':2}", "{'nodes':1}").ShouldBeEmpty();
    }

    [Fact]
    public void A_rule_about_an_old_value_in_a_list_without_keys_is_refused()
    {
        var schema = CrdSchemas.SpecSchema("'a':{'type':'array','maxItems':3,'items':{'type':'string','maxLength':9,'x-kubernetes-validations':[{'rule':'self == oldSelf'}]}}");
        Should.Throw<SchemaException>(() => StructuralSchema.FromCrd(schema)).Errors.Single().Detail.ShouldContain("uncorrelatable");
    }

    [Fact]
    public void What_was_wrong_before_does_not_block_an_unrelated_update() =>
        CrdSchemas.Spec("'a':{'type':'object','properties':{'n':{'type':'integer'}},'x-kubernetes-validations':[{'rule':'self.n > 0'}]},'b':{'type':'integer'}")
            .Errors("{'a':{'n':0},'b':2}", "{'a':{'n':0},'b':1}").ShouldBeEmpty();

    [Fact]
    public void An_evaluation_error_is_an_error_of_the_field() =>
        CrdSchemas.Spec(Jobs, "self.nodes > 0").Errors("{}").ShouldBe(["spec: Invalid value: rule evaluation error: no such key: nodes evaluating rule: self.nodes > 0"]);

    [Fact]
    public void Fields_that_are_no_identifiers_go_by_their_escaped_names() =>
        CrdSchemas.Spec("'a-b':{'type':'integer'},'in':{'type':'integer'},'c.d':{'type':'integer'}", "self.a__dash__b + self.__in__ + self.c__dot__d == 6")
            .Errors("{'a-b':1,'in':2,'c.d':3}").ShouldBeEmpty();

    [Fact]
    public void Root_rules_see_the_name() =>
        Compile("self.metadata.name.startsWith('t') && self.kind == 'Test'").Errors("{}").ShouldBeEmpty();

    [Fact]
    public void Root_rules_report_at_the_object() =>
        Compile("self.metadata.name == 'other'").Errors("{}").ShouldBe(["<nil>: Invalid value: failed rule: self.metadata.name == 'other'"]);

    [Theory]
    [InlineData("self.nodes", "cel expression must evaluate to a bool")]
    [InlineData("self.nodes ==", "compilation failed: ERROR: <input>:1:14: Syntax error")]
    [InlineData("self.name > self.nodes", "compilation failed: ERROR: <input>:1:11: found no matching overload for '_>_' applied to '(string, int)'")]
    [InlineData("self.nodes.foo", "does not support field selection")]
    public void A_rule_that_does_not_compile_is_refused(string rule, string message)
    {
        var error = Should.Throw<SchemaException>(() => CrdSchemas.Spec(Jobs, rule)).Errors.Single();
        error.Field.ShouldBe("spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule");
        error.Detail.ShouldContain(message);
    }

    [Theory]
    [InlineData("self.tasks.all(t, t.size > 0)")]
    [InlineData("self.tasks.all(t, self.tasks.exists_one(u, u.name == t.name))")]
    [InlineData("self.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")]
    [InlineData("!has(self.tasks) || self.tasks.filter(t, t.size > 1).size() <= 1")]
    public void Bounded_rules_are_affordable(string rule) => Should.NotThrow(() => CrdSchemas.Spec(Jobs, rule));

    [Theory]
    [InlineData("self.list.all(x, self.list.all(y, x == y))")]
    [InlineData("self.list.all(x, x.matches('^[a-z]+$'))")]
    public void Unbounded_rules_are_too_dear(string rule)
    {
        var refused = Should.Throw<SchemaException>(() => CrdSchemas.Spec("'list':{'type':'array','items':{'type':'string'}}", rule));
        refused.Errors[0].Detail.ShouldStartWith("estimated rule cost exceeds budget by factor of more than 100x");
        refused.Errors[^1].Field.ShouldBe("spec.validation.openAPIV3Schema");
    }

    [Fact]
    public void A_rule_deep_in_unbounded_lists_is_counted_for_every_item()
    {
        const string Nested = "'a':{'type':'array','items':{'type':'object','properties':{'s':{'type':'string','maxLength':100,'x-kubernetes-validations':[{'rule':'self.matches(self)'}]}}}}";
        Should.Throw<SchemaException>(() => StructuralSchema.FromCrd(CrdSchemas.SpecSchema(Nested)));
        Should.NotThrow(() => StructuralSchema.FromCrd(CrdSchemas.SpecSchema(Nested.Replace("'type':'array'", "'type':'array','maxItems':10"))));
    }

    [Fact]
    public void An_int_or_string_is_told_apart_by_its_type()
    {
        var schema = CrdSchemas.Spec("'p':{'x-kubernetes-int-or-string':true,'maxLength':8}", "type(self.p) == int ? self.p > 0 : self.p.endsWith('%')");
        schema.Errors("{'p':5}").ShouldBeEmpty();
        schema.Errors("{'p':'5%'}").ShouldBeEmpty();
        schema.Errors("{'p':'5'}").Count().ShouldBe(1);
    }

    private static StructuralSchema Compile(string rule)
    {
        var schema = CrdSchemas.SpecSchema("");
        schema["x-kubernetes-validations"] = new JsonArray(new JsonObject { ["rule"] = rule });
        return StructuralSchema.FromCrd(schema);
    }
}
