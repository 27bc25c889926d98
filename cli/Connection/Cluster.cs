using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Jobs;
using Trestle.Cli.Planning;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Views;

namespace Trestle.Cli.Connection;

/// <summary>What commands do with a cluster. Every failure comes out as a <see cref="CliException"/> that names the server.</summary>
internal sealed class Cluster : IDisposable
{
    private const string MergePatch = "application/merge-patch+json";
    private readonly ApiConnection _api;

    private Cluster(ApiConnection api, FoundCluster found, string? givenNamespace)
    {
        _api = api;
        Server = found.Configuration.Host.TrimEnd('/');
        Context = found.Context;
        Namespace = givenNamespace ?? (string.IsNullOrEmpty(found.Configuration.Namespace) ? "default" : found.Configuration.Namespace);
        NamespaceHint = givenNamespace is null ? "" : $" -n {givenNamespace}";
    }

    public string Server { get; }

    public string? Context { get; }

    public string Namespace { get; }

    /// <summary>" -n NAME" when the user had to say it, for commands we suggest.</summary>
    public string NamespaceHint { get; }

    public static Cluster Connect(ClusterTarget target, CliHost host)
    {
        var found = ClusterFinder.Find(target, host);
        // Follows last as long as the job does; requests have their own limit.
        found.Configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        return new Cluster(new ApiConnection(new Kubernetes(found.Configuration), host.Time), found, target.Namespace);
    }

    public void Dispose() => _api.Dispose();

    public string NamespaceHintFor(string ns) => ns == Namespace ? NamespaceHint : $" -n {ns}";

    public async Task<FoundJob> FindJobOrGroupAsync(string name, CancellationToken cancellation) =>
        await FindJobAsync(name, cancellation) is { } found ? found
        : await FindServiceAsync(name, cancellation) is null ? throw NoSuch("job or group", name)
        : throw CliException.Usage($"{name} is a service, and only jobs and groups are asked for here; see: trestle describe {name}{NamespaceHint}, trestle logs {name}{NamespaceHint}, kubectl scale isvc {name}");

    /// <summary>A service too, when no job or group has the name.</summary>
    public async Task<FoundJob> FindJobGroupOrServiceAsync(string name, CancellationToken cancellation) =>
        await FindJobAsync(name, cancellation) ?? (await FindServiceAsync(name, cancellation) is { } service ? FoundJob.Of(service) : throw NoSuch("job, group or service", name));

    /// <summary>The same object as it is now; null when it is gone or another took its name.</summary>
    public async Task<FoundJob?> RefreshAsync(FoundJob found, CancellationToken cancellation)
    {
        var path = ApiPaths.Object(found.Object);
        IKubernetesObject<V1ObjectMeta>? now = found.Object switch
        {
            JobGroup => await FindAsync(path, TrestleJson.Default.JobGroup, cancellation),
            InferenceService => await FindAsync(path, TrestleJson.Default.InferenceService, cancellation),
            _ => await FindAsync(path, TrestleJson.Default.TrainingJob, cancellation),
        };
        return now is null || now.Metadata.Uid != found.Object.Metadata.Uid ? null : FoundJob.Of(now);
    }

    public async Task<JobSet> JobsAsync(bool allNamespaces, CancellationToken cancellation)
    {
        var ns = allNamespaces ? null : Namespace;
        var jobs = ListAsync(ApiPaths.Collection(TrainingJob.KubePlural, ns), "", item => item.Deserialize(TrestleJson.Default.TrainingJob)!, cancellation);
        var groups = ListAsync(ApiPaths.Collection(JobGroup.KubePlural, ns), "", item => item.Deserialize(TrestleJson.Default.JobGroup)!, cancellation);
        return new JobSet(await jobs, await groups);
    }

    /// <summary>Services by themselves. None when the user may not see any.</summary>
    public async Task<IReadOnlyList<InferenceService>> ServicesAsync(bool allNamespaces, CancellationToken cancellation)
    {
        try
        {
            var all = await ListAsync(ApiPaths.Collection(InferenceService.KubePlural, allNamespaces ? null : Namespace), "", item => item.Deserialize(TrestleJson.Default.InferenceService)!, cancellation);
            return [.. all.Where(service => service.TaskGroup is null).OrderBy(service => service.Metadata.CreationTimestamp).ThenBy(service => service.Metadata.Name, StringComparer.Ordinal)];
        }
        catch (CliException error) when (error.ExitCode is ExitCode.Forbidden or ExitCode.NotFound)
        {
            return [];
        }
    }

    /// <summary>Where storages of this machine live; null on a real cluster.</summary>
    public async Task<string?> ObjectRootAsync(CancellationToken cancellation)
    {
        try
        {
            var info = await FindAsync(ApiPaths.Core("configmaps", Names.SystemNamespace, Names.InfoConfigMap), TrestleJson.Default.V1ConfigMap, cancellation);
            return info?.Data is { } data && data.TryGetValue(Names.InfoObjectRoot, out var root) ? root : null;
        }
        catch (CliException error) when (error.ExitCode == ExitCode.Forbidden)
        {
            // A user of a real cluster need not see our namespace.
            return null;
        }
    }

    /// <summary>All that the operator decides from, of all namespaces; storages of some.</summary>
    public async Task<PlanScene> SceneAsync(IReadOnlyList<string> namespaces, CancellationToken cancellation)
    {
        var all = await JobsAsync(allNamespaces: true, cancellation);
        var storages = new List<Storage>();
        foreach (var ns in namespaces) storages.AddRange(await StoragesAsync(ns, cancellation));
        return new PlanScene(
            all.All,
            all.Groups,
            await ListAsync(ApiPaths.Collection(Queue.KubePlural, null), "", item => item.Deserialize(TrestleJson.Default.Queue)!, cancellation),
            await ListAsync("/api/v1/nodes", "", item => item.Deserialize(OperatorJson.Default.NodeView)!, cancellation),
            await ListAsync("/api/v1/pods", "", item => item.Deserialize(OperatorJson.Default.PodView)!, cancellation),
            storages,
            await ObjectRootAsync(cancellation));
    }

    /// <summary>Storages of the namespace.</summary>
    public Task<IReadOnlyList<Storage>> StoragesAsync(CancellationToken cancellation) => StoragesAsync(Namespace, cancellation);

    public Task<IReadOnlyList<V1Node>> NodesAsync(CancellationToken cancellation) =>
        ListAsync("/api/v1/nodes", "", item => KubernetesJson.Deserialize<V1Node>(item), cancellation);

    public Task<IReadOnlyList<V1Pod>> AllPodsAsync(CancellationToken cancellation) =>
        ListAsync("/api/v1/pods", "", item => KubernetesJson.Deserialize<V1Pod>(item), cancellation);

    public Task<IReadOnlyList<V1Pod>> PodsAsync(string ns, string selector, CancellationToken cancellation) =>
        ListAsync(ApiPaths.Core("pods", ns), "labelSelector=" + Uri.EscapeDataString(selector), item => KubernetesJson.Deserialize<V1Pod>(item), cancellation);

    public Task<IReadOnlyList<Corev1Event>> EventsAsync(V1ObjectMeta of, CancellationToken cancellation) =>
        ListAsync(
            ApiPaths.Core("events", of.NamespaceProperty),
            "fieldSelector=" + Uri.EscapeDataString($"involvedObject.uid={of.Uid}"),
            item => KubernetesJson.Deserialize<Corev1Event>(item),
            cancellation);

    public Task<Stream> OpenLogAsync(string ns, string pod, string query, CancellationToken cancellation) =>
        CallAsync(() => _api.OpenAsync($"{ApiPaths.Core("pods", ns, pod)}/log?{query}", cancellation));

    /// <summary>None when the user may not see any.</summary>
    public async Task<IReadOnlyList<SlurmJob>> SlurmJobsAsync(string ns, string selector, CancellationToken cancellation)
    {
        try
        {
            return await ListAsync(ApiPaths.Collection(SlurmJob.KubePlural, ns), $"labelSelector={Uri.EscapeDataString(selector)}", item => item.Deserialize(TrestleJson.Default.SlurmJob)!, cancellation);
        }
        catch (CliException error) when (error.ExitCode is ExitCode.Forbidden or ExitCode.NotFound)
        {
            return [];
        }
    }

    /// <summary>None when the user may not see any.</summary>
    public async Task<IReadOnlyList<SlurmCluster>> SlurmClustersAsync(CancellationToken cancellation)
    {
        try
        {
            return await ListAsync(ApiPaths.Collection(SlurmCluster.KubePlural, null), "", item => item.Deserialize(TrestleJson.Default.SlurmCluster)!, cancellation);
        }
        catch (CliException error) when (error.ExitCode is ExitCode.Forbidden or ExitCode.NotFound)
        {
            return [];
        }
    }

    /// <summary>Where the logs of Slurm jobs of a namespace are; null when no bridge has said so.</summary>
    public async Task<string?> LogPlaceAsync(string ns, CancellationToken cancellation)
    {
        try
        {
            var account = await CallAsync(() => _api.SendAsync(HttpMethod.Get, ApiPaths.Core("serviceaccounts", ns, Names.LogAccount), null, cancellation));
            return (string?)JsonNode.Parse(account)?["metadata"]?["annotations"]?[Annotations.LogsAt];
        }
        catch (CliException error) when (error.ExitCode == ExitCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>A token with which the logs of Slurm jobs of a namespace are read, and nothing else is done.</summary>
    public async Task<string> LogTokenAsync(string ns, TimeSpan life, CancellationToken cancellation)
    {
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject { ["audiences"] = new JsonArray(Names.LogAudience), ["expirationSeconds"] = (long)life.TotalSeconds },
        };
        var answer = await CallAsync(() => _api.SendAsync(HttpMethod.Post, ApiPaths.Tokens(ns, Names.LogAccount), (request.ToJsonString(), "application/json"), cancellation));
        return (string?)JsonNode.Parse(answer)?["status"]?["token"] ?? "";
    }

    /// <summary>GET through the API server, whatever the answer is.</summary>
    public Task<HttpResponseMessage> AskAsync(string path, (string Name, string Value) header, CancellationToken cancellation) =>
        CallAsync(() => _api.AskAsync(path, header, cancellation));

    /// <summary>GET of an address that is not the API server's, without any credentials but the header.</summary>
    public async Task<HttpResponseMessage> AskOutsideAsync(Uri address, (string Name, string Value) header, CancellationToken cancellation)
    {
        try
        {
            return await _api.AskOutsideAsync(address, header, cancellation);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            throw new CliException($"can't reach the Slurm bridge at {address.GetLeftPart(UriPartial.Authority)}; is it running? ({error.Message.TrimEnd('.')})", cause: error) { IsPassing = true };
        }
    }

    /// <summary>Null at the end.</summary>
    public Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellation) =>
        CallAsync(() => reader.ReadLineAsync(cancellation).AsTask());

    public async Task<(string User, IReadOnlyList<string> Groups)> WhoAmIAsync(CancellationToken cancellation)
    {
        const string review = """{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}""";
        var body = await CallAsync(() => _api.SendAsync(HttpMethod.Post, "/apis/authentication.k8s.io/v1/selfsubjectreviews", (review, "application/json"), cancellation));
        var user = JsonNode.Parse(body)?["status"]?["userInfo"];
        return ((string?)user?["username"] ?? "-", [.. (user?["groups"] as JsonArray ?? []).Select(group => (string?)group ?? "")]);
    }

    /// <summary>The new object's uid.</summary>
    public async Task<string?> CreateAsync(IKubernetesObject<V1ObjectMeta> item, bool dryRun, CancellationToken cancellation)
    {
        var path = $"{ApiPaths.Collection(item)}?fieldValidation=Strict&fieldManager=trestle{(dryRun ? "&dryRun=All" : "")}";
        var body = ObjectJson.Text(item);
        var answer = await CallAsync(() => _api.SendAsync(HttpMethod.Post, path, (body, "application/json"), cancellation));
        return (string?)JsonNode.Parse(answer)?["metadata"]?["uid"] ?? "";
    }

    /// <summary>Deletes this very object, not one that took its name since.</summary>
    public Task DeleteAsync(IKubernetesObject<V1ObjectMeta> item, CancellationToken cancellation)
    {
        var options = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["propagationPolicy"] = "Background" };
        if (!string.IsNullOrEmpty(item.Metadata.Uid))
        {
            options["preconditions"] = new JsonObject { ["uid"] = item.Metadata.Uid };
        }

        return CallAsync(() => _api.SendAsync(HttpMethod.Delete, ApiPaths.Object(item), (options.ToJsonString(), "application/json"), cancellation));
    }

    public Task AnnotateAsync(IKubernetesObject<V1ObjectMeta> item, string name, string value, CancellationToken cancellation) =>
        MergeAsync(item, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [name] = value } } }, cancellation);

    public Task SetSuspendAsync(TrainingJob job, bool suspend, CancellationToken cancellation) =>
        MergeAsync(job, new JsonObject { ["spec"] = new JsonObject { ["suspend"] = suspend } }, cancellation);

    public Task SetOwnerAsync(IKubernetesObject<V1ObjectMeta> item, IKubernetesObject<V1ObjectMeta> owner, CancellationToken cancellation) =>
        MergeAsync(item, new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = owner.ApiVersion,
                    ["kind"] = owner.Kind,
                    ["name"] = owner.Metadata.Name,
                    ["uid"] = owner.Metadata.Uid,
                }),
            },
        }, cancellation);

    private async Task<FoundJob?> FindJobAsync(string name, CancellationToken cancellation) =>
        await FindAsync(ApiPaths.Object(TrainingJob.KubePlural, Namespace, name), TrestleJson.Default.TrainingJob, cancellation) is { } job ? FoundJob.Of(job)
        : await FindAsync(ApiPaths.Object(JobGroup.KubePlural, Namespace, name), TrestleJson.Default.JobGroup, cancellation) is { } group ? FoundJob.Of(group)
        : null;

    private Task<InferenceService?> FindServiceAsync(string name, CancellationToken cancellation) =>
        FindAsync(ApiPaths.Object(InferenceService.KubePlural, Namespace, name), TrestleJson.Default.InferenceService, cancellation);

    private CliException NoSuch(string what, string name) =>
        CliException.NotFound($"there is no {what} {name} in namespace {Namespace}; see: trestle queue{NamespaceHint}, trestle history{NamespaceHint}");

    private Task<IReadOnlyList<Storage>> StoragesAsync(string ns, CancellationToken cancellation) =>
        ListAsync(ApiPaths.Collection(Storage.KubePlural, ns), "", item => item.Deserialize(TrestleJson.Default.Storage)!, cancellation);

    private Task MergeAsync(IKubernetesObject<V1ObjectMeta> item, JsonObject patch, CancellationToken cancellation) =>
        CallAsync(() => _api.SendAsync(HttpMethod.Patch, ApiPaths.Object(item) + "?fieldManager=trestle", (patch.ToJsonString(), MergePatch), cancellation));

    private Task<T?> FindAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class => CallAsync(() => _api.FindAsync(path, type, cancellation));

    private Task<IReadOnlyList<T>> ListAsync<T>(string path, string query, Func<JsonElement, T> read, CancellationToken cancellation) =>
        CallAsync(() => _api.ListAsync(path, query, read, cancellation));

    private async Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception error) when (error is ApiException or HttpRequestException or IOException or SocketException or AuthenticationException or TimeoutException or JsonException)
        {
            throw ErrorTranslation.Translate(error, Server);
        }
    }
}
