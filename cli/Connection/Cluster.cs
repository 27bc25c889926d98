using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Jobs;
using Trestle.Runtime;

namespace Trestle.Cli.Connection;

/// <summary>The cluster a command talks to. Every failure comes out as a <see cref="CliException"/> that names the server.</summary>
internal sealed class Cluster : IDisposable
{
    private const string SystemNamespace = "trestle-system";
    private const string InfoConfigMap = "trestle-info";
    private readonly IKubeApi _api;
    private readonly IDisposable _connection;

    private Cluster(IKubeApi api, IDisposable connection, string server, string? context, string ns, bool namespaceGiven)
    {
        _api = api;
        _connection = connection;
        Server = server;
        Context = context;
        Namespace = ns;
        NamespaceHint = namespaceGiven ? $" -n {ns}" : "";
    }

    public string Server { get; }

    public string? Context { get; }

    public string Namespace { get; }

    /// <summary>" -n NAME" when the user had to say it, for commands we suggest.</summary>
    public string NamespaceHint { get; }

    public static Cluster Connect(ClusterTarget target, CliHost host)
    {
        throw new NotImplementedException();
    }

    public void Dispose() => _connection.Dispose();

    public string NamespaceHintFor(string ns) => ns == Namespace ? NamespaceHint : $" -n {ns}";

    public async Task<FoundJob> FindJobOrGroupAsync(string name, CancellationToken cancellation)
    {
        if (await CallAsync(() => _api.FindAsync<TrainingJob>(Namespace, name, cancellation)) is { } job)
        {
            return FoundJob.Of(job);
        }

        return await CallAsync(() => _api.FindAsync<JobGroup>(Namespace, name, cancellation)) is { } group
            ? FoundJob.Of(group)
            : throw CliException.NotFound($"there is no job or group {name} in namespace {Namespace}; see: trestle queue{NamespaceHint}, trestle history{NamespaceHint}");
    }

    /// <summary>The same object as it is now; null when it is gone or another took its name.</summary>
    public async Task<FoundJob?> RefreshAsync(FoundJob found, CancellationToken cancellation)
    {
        var meta = found.Object.Metadata;
        IKubernetesObject<V1ObjectMeta>? now = found.Object is JobGroup
            ? await CallAsync(() => _api.FindAsync<JobGroup>(meta.NamespaceProperty, meta.Name, cancellation))
            : await CallAsync(() => _api.FindAsync<TrainingJob>(meta.NamespaceProperty, meta.Name, cancellation));
        return now is null || now.Metadata.Uid != meta.Uid ? null : FoundJob.Of(now);
    }

    public Task<JobSet> JobsAsync(bool allNamespaces, CancellationToken cancellation) => throw new NotImplementedException();
    public Task<string?> ObjectRootAsync(CancellationToken c) => throw new NotImplementedException();
    public Task<IReadOnlyList<V1Node>> NodesAsync(CancellationToken c) => throw new NotImplementedException();
    public Task<IReadOnlyList<V1Pod>> AllPodsAsync(CancellationToken c) => throw new NotImplementedException();
    public Task<IReadOnlyList<V1Pod>> PodsAsync(string selector, CancellationToken c) => throw new NotImplementedException();
    public Task<IReadOnlyList<Corev1Event>> EventsAsync(string uid, CancellationToken c) => throw new NotImplementedException();
    public JsonNode ToJson(V1Node n) => throw new NotImplementedException();
    public Task<(string, IReadOnlyList<string>)> WhoAmIAsync(CancellationToken c) => throw new NotImplementedException();
    public Task<string?> CreateAsync(IKubernetesObject<V1ObjectMeta> o, bool dryRun, CancellationToken c) => throw new NotImplementedException();
    public Task DeleteAsync(IKubernetesObject<V1ObjectMeta> o, CancellationToken c) => throw new NotImplementedException();
    public Task AnnotateAsync(IKubernetesObject<V1ObjectMeta> o, string k, string v, CancellationToken c) => throw new NotImplementedException();
    public Task SetSuspendAsync(TrainingJob o, bool v, CancellationToken c) => throw new NotImplementedException();
    public Task SetOwnerAsync(IKubernetesObject<V1ObjectMeta> o, IKubernetesObject<V1ObjectMeta> v, CancellationToken c) => throw new NotImplementedException();
    public Task<Stream> OpenLogAsync(string pod, string q, CancellationToken c) => throw new NotImplementedException();
    public async Task<string?> ReadLineAsync(StreamReader r, CancellationToken c) => throw new NotImplementedException();

    private async Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception error) when (error is not (CliException or OperationCanceledException))
        {
            throw ErrorTranslation.Translate(error, Server);
        }
    }
}
