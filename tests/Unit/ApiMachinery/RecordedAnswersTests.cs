using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery.Tests;

/// <summary>Holds the library to what a real Kubernetes 1.36 answered.</summary>
public sealed class RecordedAnswersTests
{
    private static readonly StructuralSchema Schema = RecordedRequest.Schema();
    private static readonly TypeSchema Pod = BuiltInSchemas.For("", "v1", "Pod");

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void A_crd_is_refused_with_the_recorded_errors(int number)
    {
        var sample = RecordedRequest.Load(number);
        var refused = Should.Throw<SchemaException>(() => StructuralSchema.FromCrd(RecordedRequest.SchemaOf(number)));
        var name = (string)sample.BodyObject["metadata"]!["name"]!;
        $"CustomResourceDefinition.apiextensions.k8s.io \"{name}\" is invalid: {refused.Message}".ShouldBe(sample.Message);
        ShouldHaveCauses(refused.Errors, sample);
    }

    [Theory]
    [InlineData(19)]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    public void An_invalid_object_gets_the_recorded_errors(int number)
    {
        var sample = RecordedRequest.Load(number);
        var obj = sample.BodyObject;
        Schema.Prune(obj).ShouldBeEmpty();
        Schema.ApplyDefaults(obj);
        var errors = Schema.Validate(obj);
        $"TrainingJob.trestle.dev \"b\" is invalid: {FieldError.Join(errors)}".ShouldBe(sample.Message);
        ShouldHaveCauses(errors, sample);
    }

    [Fact]
    public void A_value_of_the_wrong_type_gets_the_recorded_errors_around_those_of_the_scale_subresource()
    {
        var sample = RecordedRequest.Load(18);
        var scale = FieldError.Invalid(".spec.nodes", 0, ".spec.nodes accessor error: four is of the type string, expected int64");
        var errors = Schema.Validate(sample.BodyObject, null, after: [scale]);
        $"TrainingJob.trestle.dev \"b\" is invalid: {FieldError.Join(errors)}".ShouldBe(sample.Message);
        ShouldHaveCauses(errors, sample);
    }

    [Fact]
    public void A_missing_name_keeps_rules_from_running()
    {
        var sample = RecordedRequest.Load(25);
        var errors = Schema.Validate(sample.BodyObject, null, before: [FieldError.Required("metadata.name", "name or generateName is required")]);
        $"TrainingJob.trestle.dev \"\" is invalid: {FieldError.Join(errors)}".ShouldBe(sample.Message);
    }

    [Fact]
    public void A_bad_status_gets_the_recorded_errors()
    {
        var sample = RecordedRequest.Load(53);
        var live = RecordedRequest.Load(49).AnswerObject;
        var patched = (JsonObject)MergePatch.Apply(live, sample.Body)!;
        $"TrainingJob.trestle.dev \"a\" is invalid: {FieldError.Join(Schema.Validate(patched, live))}".ShouldBe(sample.Message);
    }

    [Fact]
    public void A_transition_rule_refuses_the_change_and_lets_the_same_object_pass()
    {
        var live = RecordedRequest.Load(42).AnswerObject;
        var sample = RecordedRequest.Load(45);
        $"TrainingJob.trestle.dev \"a\" is invalid: {FieldError.Join(Schema.Validate(sample.BodyObject, live))}".ShouldBe(sample.Message);
        Schema.Validate(RecordedRequest.Load(46).BodyObject, live).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(26)]
    [InlineData(27)]
    [InlineData(28)]
    public void An_unknown_field_is_pruned_and_named(int number)
    {
        var obj = RecordedRequest.Load(number).BodyObject;
        Schema.Prune(obj).ShouldBe(["spec.bogus"]);
        obj["spec"]!.AsObject().ContainsKey("bogus").ShouldBeFalse();
    }

    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(26)]
    [InlineData(35)]
    public void A_created_object_has_the_recorded_defaults_and_managed_fields(int number)
    {
        var sample = RecordedRequest.Load(number);
        var obj = sample.BodyObject;
        Schema.Prune(obj);
        Schema.ApplyDefaults(obj);
        obj.Remove("status");
        ManagedFields.Update(null, obj, Schema.Type, "unknown", "Update", "trestle.dev/v1alpha1", null, TimeOf(sample));
        ShouldBeSame(obj["spec"], sample.Answer!["spec"]);
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(obj), RecordedRequest.ManagedFieldsOf(sample.Answer));
    }

    [Theory]
    [InlineData(15, 42, null)]
    [InlineData(42, 46, null)]
    [InlineData(42, 49, "status")]
    public void An_updated_object_has_the_recorded_managed_fields(int before, int after, string? subresource)
    {
        var live = RecordedRequest.Load(before).AnswerObject;
        var sample = RecordedRequest.Load(after);
        var obj = sample.BodyObject;
        if (subresource == "status") obj["spec"] = live["spec"]!.DeepClone();
        ManagedFields.Update(live, obj, Schema.Type, "unknown", "Update", "trestle.dev/v1alpha1", subresource, TimeOf(sample));
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(obj), RecordedRequest.ManagedFieldsOf(sample.Answer));
    }

    [Fact]
    public void Scale_then_merge_patch_then_json_patch_then_status_patch_end_as_recorded()
    {
        var live = RecordedRequest.Load(49).AnswerObject;
        var scaled = (JsonObject)live.DeepClone();
        scaled["spec"]!["nodes"] = 3;
        Update(live, scaled, "scale", 54);

        var merged = (JsonObject)MergePatch.Apply(scaled, RecordedRequest.Load(54).Body)!;
        Update(scaled, merged, null, 54);
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(merged), RecordedRequest.ManagedFieldsOf(RecordedRequest.Load(54).Answer));

        var patched = (JsonObject)JsonPatch.Apply(merged, RecordedRequest.Load(55).Body!.AsArray())!;
        Update(merged, patched, null, 55);
        ShouldBeSame(patched["metadata"]!["labels"], RecordedRequest.Load(55).Answer!["metadata"]!["labels"]);
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(patched), RecordedRequest.ManagedFieldsOf(RecordedRequest.Load(55).Answer));

        var status = (JsonObject)MergePatch.Apply(patched, RecordedRequest.Load(61).Body)!;
        Update(patched, status, "status", 61);
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(status), RecordedRequest.ManagedFieldsOf(RecordedRequest.Load(61).Answer));

        static void Update(JsonObject old, JsonObject @new, string? subresource, int number) => ManagedFields.Update(
            old, @new, Schema.Type, "unknown", "Update", "trestle.dev/v1alpha1", subresource, TimeOf(RecordedRequest.Load(number)));
    }

    [Theory]
    [InlineData(56)]
    [InlineData(57)]
    public void A_json_patch_that_does_not_fit_is_refused_as_recorded(int number)
    {
        var sample = RecordedRequest.Load(number);
        var refused = Should.Throw<PatchException>(() => JsonPatch.Apply(RecordedRequest.Load(55).Answer, sample.Body!.AsArray()));
        refused.StatusCode.ShouldBe(sample.Status);
        refused.Message.ShouldBe(sample.Message);
    }

    [Theory]
    [InlineData(62, 0, "op1", false)]
    [InlineData(63, 62, "op1", false)]
    [InlineData(65, 63, "op2", true)]
    [InlineData(66, 65, "op2", true)]
    [InlineData(67, 66, "op1", false)]
    public void Server_side_apply_gives_the_recorded_object(int number, int live, string manager, bool force)
    {
        var sample = RecordedRequest.Load(number);
        var before = live == 0 ? null : RecordedRequest.Load(live).AnswerObject;
        var result = ServerSideApply.Apply(before, sample.BodyObject, Schema.Type, manager, force, "trestle.dev/v1alpha1", null, TimeOf(sample));
        Schema.ApplyDefaults(result);
        ShouldBeSame(result["spec"], sample.Answer!["spec"]);
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(result), RecordedRequest.ManagedFieldsOf(sample.Answer));
    }

    [Fact]
    public void Applying_a_status_gives_the_recorded_object()
    {
        var sample = RecordedRequest.Load(68);
        var time = DateTimeOffset.Parse("2026-11-23T16:57:51Z");
        var result = ServerSideApply.Apply(RecordedRequest.Load(67).AnswerObject, sample.BodyObject, Schema.Type, "op1", true, "trestle.dev/v1alpha1", "status", time, ["spec"]);
        ShouldBeSame(result["status"], sample.Answer!["status"]);
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(result), RecordedRequest.ManagedFieldsOf(sample.Answer));
    }

    [Fact]
    public void Applying_the_same_again_keeps_the_time()
    {
        var live = RecordedRequest.Load(62).AnswerObject;
        var result = ServerSideApply.Apply(live, RecordedRequest.Load(63).BodyObject, Schema.Type, "op1", false, "trestle.dev/v1alpha1", null, DateTimeOffset.UnixEpoch);
        ShouldBeSame(result, live);
    }

    [Fact]
    public void A_conflict_is_worded_as_recorded()
    {
        var sample = RecordedRequest.Load(64);
        var conflict = Should.Throw<ConflictException>(() => ServerSideApply.Apply(
            RecordedRequest.Load(63).AnswerObject, sample.BodyObject, Schema.Type, "op2", false, "trestle.dev/v1alpha1", null, DateTimeOffset.UnixEpoch));
        conflict.Message.ShouldBe(sample.Message);
        var cause = sample.Answer!["details"]!["causes"]![0]!;
        conflict.Conflicts.Single().Message.ShouldBe((string)cause["message"]!);
        conflict.Conflicts.Single().Field.ShouldBe((string)cause["field"]!);
    }

    [Fact]
    public void An_applied_object_must_not_carry_managed_fields()
    {
        var sample = RecordedRequest.Load(70);
        var refused = Should.Throw<PatchException>(() => ServerSideApply.Apply(
            null, sample.BodyObject, Schema.Type, "op1", false, "trestle.dev/v1alpha1", null, DateTimeOffset.UnixEpoch));
        (refused.StatusCode, refused.Message).ShouldBe((sample.Status, sample.Message));
    }

    [Fact]
    public void A_pod_has_the_recorded_managed_fields()
    {
        var sample = RecordedRequest.Load(101);
        var pod = sample.AnswerObject;
        pod["metadata"]!.AsObject().Remove("managedFields");
        // What admission and the strategy add after the fields are recorded.
        pod.Remove("status");
        foreach (var name in new[] { "tolerations", "priority", "preemptionPolicy" }) pod["spec"]!.AsObject().Remove(name);
        ManagedFields.Update(null, pod, Pod, "unknown", "Update", "v1", null, TimeOf(sample));
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(pod), RecordedRequest.ManagedFieldsOf(sample.Answer));
    }

    [Fact]
    public void Pinning_and_ungating_a_pod_in_one_patch_gives_the_recorded_object()
    {
        var live = RecordedRequest.Load(101).AnswerObject;
        var sample = RecordedRequest.Load(103);
        var pod = StrategicMergePatch.Apply(live, sample.BodyObject, Pod);
        ManagedFields.Update(live, pod, Pod, "unknown", "Update", "v1", null, TimeOf(sample));
        ShouldBeSame(pod["spec"], sample.Answer!["spec"]);
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(pod), RecordedRequest.ManagedFieldsOf(sample.Answer));
    }

    [Fact]
    public void Patching_one_field_of_a_container_leaves_its_others()
    {
        var pod = StrategicMergePatch.Apply(RecordedRequest.Load(103).AnswerObject, RecordedRequest.Load(106).BodyObject, Pod);
        ShouldBeSame(pod["spec"]!["containers"], RecordedRequest.Load(106).Answer!["spec"]!["containers"]);
    }

    [Fact]
    public void A_service_has_the_recorded_managed_fields_and_merges_its_selector()
    {
        var sample = RecordedRequest.Load(138);
        var service = sample.AnswerObject;
        service["metadata"]!.AsObject().Remove("managedFields");
        foreach (var name in new[] { "clusterIPs", "ipFamilies", "ipFamilyPolicy" }) service["spec"]!.AsObject().Remove(name);
        ManagedFields.Update(null, service, BuiltInSchemas.For("", "v1", "Service"), "unknown", "Update", "v1", null, TimeOf(sample));
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(service), RecordedRequest.ManagedFieldsOf(sample.Answer));

        var patched = StrategicMergePatch.Apply(RecordedRequest.Load(137).AnswerObject, sample.BodyObject, BuiltInSchemas.For("", "v1", "Service"));
        ShouldBeSame(patched["spec"]!["selector"], sample.Answer!["spec"]!["selector"]);
    }

    [Fact]
    public void A_crd_has_the_recorded_managed_fields()
    {
        var sample = RecordedRequest.Load(5);
        var crd = sample.AnswerObject;
        crd["metadata"]!.AsObject().Remove("managedFields");
        crd.Remove("status");
        ManagedFields.Update(null, crd, BuiltInSchemas.For("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), "unknown", "Update", "apiextensions.k8s.io/v1", null, TimeOf(sample));
        ShouldBeSame(RecordedRequest.ManagedFieldsOf(crd), RecordedRequest.ManagedFieldsOf(sample.Answer));
    }

    [Fact]
    public void Every_recorded_built_in_object_fits_its_table()
    {
        foreach (var (number, group, kind) in new[] { (101, "", "Pod"), (106, "", "Pod"), (137, "", "Service"), (134, "coordination.k8s.io", "Lease"), (135, "", "Event"), (139, "", "Node"), (142, "", "Namespace"), (5, "apiextensions.k8s.io", "CustomResourceDefinition") })
        {
            var type = BuiltInSchemas.For(group, "v1", kind);
            var obj = RecordedRequest.Load(number).AnswerObject;
            BuiltInSchemas.Describes(group, "v1", kind).ShouldBeTrue();
            type.TypeErrors(obj).ShouldBeEmpty(kind);
            type.Prune(obj).ShouldBeEmpty(kind);
        }
    }

    [Fact]
    public void A_bad_label_selector_is_refused_as_recorded() =>
        Should.Throw<SelectorException>(() => LabelSelector.Parse("a===b")).Message.ShouldBe(RecordedRequest.Load(74).Message);

    [Fact]
    public void An_unsupported_field_selector_is_refused_as_recorded() =>
        Should.Throw<SelectorException>(() => FieldSelector.Parse("spec.nodes=1").RequireSupported(new HashSet<string> { "metadata.name", "metadata.namespace" }))
            .Message.ShouldBe(RecordedRequest.Load(76).Message);

    private static DateTimeOffset TimeOf(RecordedRequest sample) =>
        RecordedRequest.ManagedFieldsOf(sample.Answer)!.Select(e => (string?)e!["time"]).Where(t => t is not null).Select(t => DateTimeOffset.Parse(t!)).Max();

    private static void ShouldHaveCauses(IReadOnlyList<FieldError> errors, RecordedRequest sample)
    {
        var causes = sample.Answer!["details"]!["causes"]!.AsArray();
        errors.Select(e => (e.Reason, e.Body, e.Field)).ShouldBe(causes.Select(c => ((string)c!["reason"]!, (string)c["message"]!, (string)c["field"]!)));
    }

    private static void ShouldBeSame(JsonNode? actual, JsonNode? expected)
    {
        if (!JsonNode.DeepEquals(actual, expected)) (actual?.ToJsonString() ?? "null").ShouldBe(expected?.ToJsonString() ?? "null");
    }
}
