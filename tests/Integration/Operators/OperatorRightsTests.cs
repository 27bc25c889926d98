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

    private async Task MakeAsync(string kind, string name, string spec) =>
        (await _plane.KubectlAsync("create", "-f", _plane.Files.Write($"{name}.yaml", $"{{apiVersion: trestle.dev/v1alpha1, kind: {kind}, metadata: {{name: {name}}}, spec: {spec}}}"))).ShouldExit(0);

    private Task EndAsync(string path, string phase) => _plane.UntilAsync($"{path} is {phase}", async () => (string?)(await _plane.GetAsync(path))?["status"]?["phase"] == phase);
}
