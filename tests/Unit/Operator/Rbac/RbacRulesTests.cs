using Trestle.Api.Schema;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Rbac;
using Trestle.Operator.Tests.Builders;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Rbac;

public sealed class RbacRulesTests
{
    [Fact]
    public void The_operator_may_do_what_its_code_calls_and_nothing_else()
    {
        var calls = new[] { typeof(OperatorHost).Assembly, typeof(IKubeApi).Assembly }.Select(KubeCalls.In).ToList();
        var certain = calls.SelectMany(found => found.Certain).SelectMany(Rights).Where(right => !right.EndsWith(PatchedStatus, StringComparison.Ordinal)).Distinct();
        var possible = calls.SelectMany(found => found.Certain.Concat(found.Possible)).SelectMany(Rights).ToHashSet();
        var declared = OperatorRights.Rules.Declared.Where(right => !IsForOwners(right)).Select(right => $"{right.Verb} {right.Group}/{right.Resource}").ToHashSet();
        certain.Except(declared).Order().ShouldBeEmpty("each call of IKubeApi needs an [EntityRbac] on the type that makes it");
        declared.Except(possible.Select(right => right.Replace(PatchedStatus, "/status", StringComparison.Ordinal))).Except(GivenToGateways()).Order().ShouldBeEmpty("each [EntityRbac] needs a call");
    }

    // Nobody may give rights that he has not got.
    [Fact]
    public void The_operator_has_the_rights_that_it_gives_to_gateways() =>
        GivenToGateways().Except(OperatorRights.Rules.Declared.Select(right => $"{right.Verb} {right.Group}/{right.Resource}")).ShouldBeEmpty();

    private static IEnumerable<string> GivenToGateways() =>
        from rule in ServiceObjects.Role(AService.Named().Build()).Rules
        from resource in rule.Resources
        from verb in rule.Verbs
        select $"{verb} {rule.ApiGroups.Single()}/{resource}";

    // Which subresource a patch is of is in no signature.
    private const string PatchedStatus = "/status, perhaps";

    private static IEnumerable<string> Rights((string Method, Type Class) call)
    {
        var (verb, subresource) = ChartRules.VerbOf[call.Method];
        yield return $"{verb} {Resource(call.Class)}{subresource}";
        if (call.Method == nameof(IKubeApi.PatchAsync)) yield return $"{verb} {Resource(call.Class)}{PatchedStatus}";
    }

    // On clusters with OwnerReferencesPermissionEnforcement only who may update an owner's finalizers may make children that block its deletion.
    [Fact]
    public void Finalizers_may_be_updated_of_the_kinds_that_own_children_and_of_no_other() =>
        OperatorRights.Rules.Declared.Where(IsForOwners).Select(right => $"{right.Verb} {right.Resource}").Order().ShouldBe(["update inferenceservices/finalizers", "update jobgroups/finalizers", "update trainingjobs/finalizers"]);

    [Theory]
    [InlineData("secrets", "get,create,delete")]
    [InlineData("pods", "get,list,watch,create,patch,delete")]
    [InlineData("nodes", "list,watch")]
    [InlineData("events", "create,patch")]
    public void In_all_namespaces_it_may(string resource, string verbs) => VerbsOf(resource, inOwnNamespace: false).ShouldBe(verbs.Split(','), ignoreOrder: true);

    [Theory]
    [InlineData("leases", "get,create,update")]
    [InlineData("secrets", "get,create")]
    public void In_its_own_namespace_it_may(string resource, string verbs) => VerbsOf(resource, inOwnNamespace: true).ShouldBe(verbs.Split(','), ignoreOrder: true);

    [Fact]
    public void Leases_are_touched_in_its_own_namespace_alone_and_nothing_is_granted_as_a_whole()
    {
        VerbsOf("leases", inOwnNamespace: false).ShouldBeEmpty();
        OperatorRights.Rules.Declared.ShouldAllBe(right => right.Verb != "*" && right.Resource != "*" && right.Group != "*");
        VerbsOf("secrets", inOwnNamespace: false).ShouldNotContain("list");
    }

    [Fact]
    public void The_rules_in_the_chart_are_what_the_attributes_say() => OperatorRights.Rules.ShouldBeInTheChart("", "Operator");

    private static string Resource(Type type) => ResourceKind.OfClass(type) is var kind ? $"{kind.Group}/{kind.Plural}" : "";

    private static bool IsForOwners(RbacRight right) => right.Resource.EndsWith("/finalizers", StringComparison.Ordinal);

    private static IEnumerable<string> VerbsOf(string resource, bool inOwnNamespace) =>
        OperatorRights.Rules.Declared.Where(right => right.Resource == resource && right.InOwnNamespace == inOwnNamespace).Select(right => right.Verb);
}
