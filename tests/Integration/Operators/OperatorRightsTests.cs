using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Api.V1Alpha1;
using Trestle.Operator;
using Trestle.Operator.Health;
using Trestle.Operator.Views;
using Trestle.Runtime;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Operators;

/// <summary>The operator with no more than the rights that the chart gives it.</summary>
public sealed class OperatorRightsTests : IAsyncLifetime
{
    private LocalPlane _plane = null!;

    public async ValueTask InitializeAsync() => _plane = await LocalPlane.StartAsync(nodes: 2, withOperator: false);

    public ValueTask DisposeAsync() => _plane.DisposeAsync();

    [Fact]
    public async Task A_group_and_a_cancelled_and_a_deleted_job_need_no_right_that_the_chart_does_not_give()
    {
        var options = new OperatorOptions { Kubeconfig = _plane.Kubeconfig, DefaultImage = "local", DefaultStorageRoot = _plane.Objects };
        using var client = new KubeClientOptions { Kubeconfig = _plane.Kubeconfig }.Open(TimeProvider.System, TrestleJson.Default, OperatorJson.Default);
        var api = new RightsCheckedApi(client, options.Namespace);
        using var stop = new CancellationTokenSource();
        var running = OperatorHost.RunAsync(api, client, options, NullLoggerFactory.Instance, TimeProvider.System, new OperatorHealth(), stop.Token);

        await MakeAsync("JobGroup", "pair", "{terminationDelay: 1s, tasks: [{name: a, role: Primary, job: {run: 'true'}}, {name: b, role: Auxiliary, job: {run: sleep 600}}]}");
        await MakeAsync("TrainingJob", "again", "{run: 'test $TRESTLE_ATTEMPT = 2', mounts: [{path: /data, storage: data}], recovery: {maxRestarts: 1, backoff: {initial: 1s}}}");
        await MakeAsync("TrainingJob", "long", "{run: sleep 600}");
        await EndAsync("apis/trestle.dev/v1alpha1/namespaces/default/jobgroups/pair", "Succeeded");
        await EndAsync("apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs/again", "Succeeded");
        (await _plane.KubectlAsync("delete", "trainingjob", "long", "--wait=false")).ShouldExit(0);
        (await _plane.KubectlAsync("delete", "jobgroup", "pair", "--wait=false")).ShouldExit(0);
        await _plane.UntilAsync("they are gone", async () => await _plane.TrainingJobAsync("long") is null && await _plane.GetAsync("apis/trestle.dev/v1alpha1/namespaces/default/jobgroups/pair") is null);

        await stop.CancelAsync();
        await running;
        api.Refused.ShouldBeEmpty();
        api.Used.ShouldContain("delete secrets");
        api.Used.ShouldContain("patch jobgroups");
        api.Used.ShouldContain("create storages");
    }

    [Fact]
    public async Task A_service_by_itself_and_one_of_a_group_need_no_right_that_the_chart_does_not_give()
    {
        const string service = "{model: {uri: /models/tiny}, engine: {command: [sh, -c, exec sleep 600]}, termination: {preStop: 0s, drain: 0s}}";
        const string path = "apis/trestle.dev/v1alpha1/namespaces/default/inferenceservices";
        var options = new OperatorOptions { Kubeconfig = _plane.Kubeconfig, DefaultImage = "local", SharedNetwork = true };
        using var client = new KubeClientOptions { Kubeconfig = _plane.Kubeconfig }.Open(TimeProvider.System, TrestleJson.Default, OperatorJson.Default);
        var api = new RightsCheckedApi(client, options.Namespace);
        using var stop = new CancellationTokenSource();
        var running = OperatorHost.RunAsync(api, client, options, NullLoggerFactory.Instance, TimeProvider.System, new OperatorHealth(), stop.Token);

        await MakeAsync("InferenceService", "alone", service);
        await MakeAsync("JobGroup", "pair", $"{{tasks: [{{name: a, job: {{run: sleep 2}}}}, {{name: b, service: {service}}}]}}");
        await EndAsync("api/v1/namespaces/default/pods/alone-0-0", "Running");
        await EndAsync("apis/trestle.dev/v1alpha1/namespaces/default/jobgroups/pair", "Succeeded");
        (await _plane.KubectlAsync("patch", "isvc", "alone", "--type=merge", "-p", """{"spec":{"replicas":0,"auth":{"isolateAdmin":false}}}""")).ShouldExit(0);
        await _plane.UntilAsync("the replica is gone", async () => await _plane.GetAsync("api/v1/namespaces/default/pods/alone-0-0") is null && (string?)(await _plane.GetAsync($"{path}/alone"))?["status"]?["reason"] == "ScaledToZero");
        await _plane.UntilAsync("control routes are open", async () => await _plane.GetAsync("apis/networking.k8s.io/v1/namespaces/default/networkpolicies/alone-replicas") is null);
        (await _plane.KubectlAsync("delete", "isvc", "alone")).ShouldExit(0);
        await _plane.UntilAsync("nothing is left", async () => (await _plane.ListAsync("api/v1/namespaces/default/services")).All(one => (string?)one["metadata"]!["labels"]?["trestle.dev/service"] is null));

        await stop.CancelAsync();
        await running;
        api.Refused.ShouldBeEmpty();
        api.Used.ShouldContain("create roles");
        api.Used.ShouldContain("patch poddisruptionbudgets");
        api.Used.ShouldContain("delete networkpolicies");
        api.Used.ShouldContain("delete inferenceservices");
    }

    private async Task MakeAsync(string kind, string name, string spec) =>
        (await _plane.KubectlAsync("create", "-f", _plane.Files.Write($"{name}.yaml", $"{{apiVersion: trestle.dev/v1alpha1, kind: {kind}, metadata: {{name: {name}}}, spec: {spec}}}"))).ShouldExit(0);

    private Task EndAsync(string path, string phase) => _plane.UntilAsync($"{path} is {phase}", async () => (string?)(await _plane.GetAsync(path))?["status"]?["phase"] == phase);
}
