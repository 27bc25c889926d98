using System.Text.Json.Nodes;
using CsCheck;

namespace Trestle.Local.ApiMachinery.Tests.Apply;

public sealed class ServerSideApplyTests
{
    private static readonly TypeSchema Type = RecordedRequest.Schema().Type;
    private static readonly TypeSchema Pod = BuiltInSchemas.For("", "v1", "Pod");
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-01-01T00:00:00Z");

    [Fact]
    public void Applying_twice_changes_nothing() =>
        Gen.Select(Spec, Spec).Sample((first, second) =>
        {
            var live = Apply(null, first, "a", true);
            live = Apply(live, second, "b", true);
            var again = Apply(live, second, "b", false, Now.AddHours(1));
            JsonNode.DeepEquals(again, live).ShouldBeTrue($"{live.ToJsonString()}\n{again.ToJsonString()}");
        });

    [Fact]
    public void Managers_of_disjoint_fields_never_conflict_and_keep_their_values() =>
        Gen.Select(Spec, Spec).Sample((left, right) =>
        {
            var (mine, theirs) = (new JsonObject(), new JsonObject());
            foreach (var (name, value) in left)
                if (name.CompareTo("m", StringComparison.Ordinal) < 0) mine[name] = value?.DeepClone();
            foreach (var (name, value) in right)
                if (name.CompareTo("m", StringComparison.Ordinal) >= 0) theirs[name] = value?.DeepClone();
            var live = Apply(Apply(null, mine, "a", false), theirs, "b", false);
            var spec = (JsonObject)live["spec"]!;
            foreach (var (name, value) in mine.Concat(theirs)) JsonNode.DeepEquals(spec[name], value).ShouldBeTrue(name);
        });

    [Fact]
    public void A_forced_apply_takes_its_values_and_applying_nothing_gives_them_up() =>
        Gen.Select(Spec, Spec).Sample((first, second) =>
        {
            var live = Apply(Apply(null, first, "a", false), second, "b", true);
            foreach (var (name, value) in second)
                if (value is not (JsonObject or JsonArray)) JsonNode.DeepEquals(live["spec"]![name], value).ShouldBeTrue(name);
            Owners(live).ShouldContain("b");
            Owners(Apply(live, null, "b", false)).ShouldBe(Owners(live).Where(o => o != "b" && Kept(live, o)), ignoreOrder: true);
        });

    [Fact]
    public void Every_set_field_has_an_owner() =>
        Gen.Select(Spec, Spec, Spec).Sample((first, second, third) =>
        {
            var live = Apply(Apply(null, first, "a", true), second, "b", true);
            var updated = (JsonObject)live.DeepClone();
            updated["spec"] = third.DeepClone();
            ManagedFields.Update(live, updated, Type, "c", "Update", "v1", null, Now);
            var owned = ManagedEntry.ReadAll(updated).Select(e => e.Fields).Aggregate(new FieldSet(), (a, b) => a.Union(b));
            var set = ManagedFields.Strip(TypedWalk.ToFieldSet((JsonObject)WithoutEmpty(updated)!, Type));
            var orphans = set.WithNamedFields(Type).Difference(owned.WithNamedFields(Type));
            orphans.IsEmpty.ShouldBeTrue($"{updated.ToJsonString()}: {orphans.ToJson().ToJsonString()}");
        });

    [Fact]
    public void Field_sets_read_back_as_they_were_written() =>
        Spec.Sample(spec =>
        {
            var set = TypedWalk.ToFieldSet(new JsonObject { ["spec"] = spec.DeepClone() }, Type);
            FieldSet.FromJson(set.ToJson()).SameAs(set).ShouldBeTrue();
        });

    [Fact]
    public void Several_conflicts_are_listed_by_manager()
    {
        var live = Apply(null, CrdSchemas.Json("{'run':'a','nodes':1}"), "op1", false);
        live["spec"]!["suspend"] = true;
        var updated = (JsonObject)live.DeepClone();
        ManagedFields.Update(Apply(null, CrdSchemas.Json("{'run':'a','nodes':1}"), "op1", false), updated, Type, "editor", "Update", "trestle.dev/v1alpha1", null, Now);
        var conflict = Should.Throw<ConflictException>(() => Apply(updated, CrdSchemas.Json("{'run':'b','nodes':2,'suspend':false}"), "op2", false));
        conflict.Message.ShouldBe("Apply failed with 3 conflicts: conflicts with \"editor\" using trestle.dev/v1alpha1:\n- .spec.suspend\nconflicts with \"op1\":\n- .spec.nodes\n- .spec.run");
    }

    [Fact]
    public void A_conflict_inside_a_list_is_named_by_its_key()
    {
        var live = Apply(null, CrdSchemas.Json("{'env':[{'name':'A','value':'1'}]}"), "op1", false);
        Should.Throw<ConflictException>(() => Apply(live, CrdSchemas.Json("{'env':[{'name':'A','value':'2'}]}"), "op2", false))
            .Conflicts.ShouldBe([new FieldConflict("\"op1\"", ".spec.env[name=\"A\"].value")]);
    }

    [Fact]
    public void Ports_are_told_apart_by_number_and_protocol()
    {
        static JsonObject PodWith(string ports) => CrdSchemas.Json($"{{'metadata':{{'name':'p'}},'spec':{{'containers':[{{'name':'c','ports':{ports}}}]}}}}");
        var live = ServerSideApply.Apply(null, PodWith("[{'containerPort':53}]"), Pod, "a", false, "v1", null, Now);
        var both = ServerSideApply.Apply(live, PodWith("[{'containerPort':53,'protocol':'UDP'}]"), Pod, "b", false, "v1", null, Now);
        both["spec"]!["containers"]![0]!["ports"].ShouldBeJson("[{'containerPort':53},{'containerPort':53,'protocol':'UDP'}]");
        both["metadata"]!["managedFields"]!.ToJsonString().ShouldContain("protocol");
    }

    [Fact]
    public void An_object_nobody_tracked_belongs_to_its_past()
    {
        var live = CrdSchemas.Json("{'metadata':{'name':'x'},'spec':{'run':'a','nodes':1}}");
        Should.Throw<ConflictException>(() => Apply(live, CrdSchemas.Json("{'run':'b'}"), "op", false)).Conflicts.Single().Manager.ShouldStartWith("\"before-first-apply\"");
        Owners(Apply(live, CrdSchemas.Json("{'run':'a'}"), "op", false)).ShouldBe(["op", "before-first-apply"]);
    }

    [Fact]
    public void Labels_applied_by_two_managers_leave_with_the_one_that_drops_them()
    {
        static JsonObject Labels(string labels) => CrdSchemas.Json($"{{'metadata':{{'name':'x','labels':{labels}}}}}");
        var live = ServerSideApply.Apply(null, Labels("{'a':'1','both':'1'}"), Type, "one", false, "v1", null, Now);
        live = ServerSideApply.Apply(live, Labels("{'b':'1','both':'1'}"), Type, "two", false, "v1", null, Now);
        live = ServerSideApply.Apply(live, CrdSchemas.Json("{'metadata':{'name':'x'}}"), Type, "one", false, "v1", null, Now);
        live["metadata"]!["labels"].ShouldBeJson("{'b':'1','both':'1'}");
        ServerSideApply.Apply(live, CrdSchemas.Json("{'metadata':{'name':'x'}}"), Type, "two", false, "v1", null, Now)["metadata"].ShouldBeJson("{'name':'x'}");
    }

    [Fact]
    public void Many_updaters_are_folded_into_one_old_entry()
    {
        JsonObject? old = null;
        for (var i = 0; i < 15; i++)
        {
            var next = (JsonObject?)old?.DeepClone() ?? CrdSchemas.Json("{'metadata':{'name':'x','labels':{}}}");
            next["metadata"]!["labels"]![$"l{i}"] = "1";
            ManagedFields.Update(old, next, Type, $"m{i}", "Update", "v1", null, Now.AddSeconds(i));
            old = next;
        }

        Owners(old!).Count.ShouldBe(10);
        Owners(old!).ShouldContain("ancient-changes");
    }

    private static readonly Gen<JsonObject> Spec = RandomJson.Object.Select(o =>
    {
        TypeSchema.DropNulls(o);
        Type.Fields["spec"].Prune(o);
        // Lists with keys hold objects that have them.
        if (o["env"] is JsonArray env)
            o["env"] = new JsonArray([.. env.OfType<JsonObject>().Where(e => e["name"] is JsonValue).DistinctBy(e => e["name"]!.ToJsonString()).Select(e => e.DeepClone())]);
        return o;
    });

    private static JsonObject Apply(JsonObject? live, JsonObject? spec, string manager, bool force, DateTimeOffset? at = null)
    {
        var applied = CrdSchemas.Json("{'metadata':{'name':'x'}}");
        if (spec is not null) applied["spec"] = spec.DeepClone();
        return ServerSideApply.Apply(live, applied, Type, manager, force, "trestle.dev/v1alpha1", null, at ?? Now);
    }

    // A container that an update emptied has no owner of its own, in the real server neither.
    private static JsonNode? WithoutEmpty(JsonNode? node)
    {
        if (node is not JsonObject obj) return node?.DeepClone();
        var kept = new JsonObject();
        foreach (var (name, value) in obj)
            if (WithoutEmpty(value) is { } inner && inner is not (JsonObject { Count: 0 } or JsonArray { Count: 0 })) kept[name] = inner;
        return kept;
    }

    private static List<string> Owners(JsonObject obj) => ManagedEntry.ReadAll(obj).Select(e => e.Manager).ToList();

    private static bool Kept(JsonObject live, string owner) => ManagedEntry.ReadAll(live).Exists(e => e.Manager == owner);
}
