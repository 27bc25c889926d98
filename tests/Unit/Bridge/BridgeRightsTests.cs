using Trestle.Operator.Tests.Rbac;
using Trestle.Runtime;

namespace Trestle.Bridge.Tests;

public sealed class BridgeRightsTests
{
    [Fact]
    public void The_bridge_may_do_what_its_code_calls_and_nothing_else()
    {
        var own = KubeCalls.In(typeof(BridgeHost).Assembly);
        var runtime = KubeCalls.In(typeof(IKubeApi).Assembly);
        var declared = BridgeRights.Rules.Declared.Select(right => $"{right.Verb} {right.Group}/{right.Resource}").ToHashSet();
        own.Certain.Select(Right).Except(declared).Order().ShouldBeEmpty("each call of IKubeApi needs an [EntityRbac] on the type that makes it");
        declared.Except(own.Certain.Concat(own.Possible).Concat(runtime.Certain).Concat(runtime.Possible).Select(Right)).Order().ShouldBeEmpty("each [EntityRbac] needs a call");
    }

    [Fact]
    public void Secrets_are_never_listed_and_leases_are_touched_in_its_own_namespace_alone()
    {
        VerbsOf("secrets", inOwnNamespace: false).ShouldBe(["get"]);
        VerbsOf("secrets", inOwnNamespace: true).ShouldBe(["get", "create"], ignoreOrder: true);
        VerbsOf("leases", inOwnNamespace: false).ShouldBeEmpty();
        VerbsOf("slurmjobs", inOwnNamespace: false).ShouldBe(["list", "watch", "patch"], ignoreOrder: true);
        BridgeRights.Rules.Declared.ShouldAllBe(right => right.Verb != "*" && right.Resource != "*" && right.Group != "*");
    }

    [Fact]
    public void The_rules_in_the_chart_are_what_the_attributes_say() => BridgeRights.Rules.ShouldBeInTheChart("bridge-", "Bridge");

    private static string Right((string Method, Type Class) call) =>
        ResourceKind.OfClass(call.Class) is var kind && ChartRules.VerbOf[call.Method] is var (verb, subresource) ? $"{verb} {kind.Group}/{kind.Plural}{subresource}" : "";

    private static IEnumerable<string> VerbsOf(string resource, bool inOwnNamespace) =>
        BridgeRights.Rules.Declared.Where(right => right.Resource == resource && right.InOwnNamespace == inOwnNamespace).Select(right => right.Verb);
}
