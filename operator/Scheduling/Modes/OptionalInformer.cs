using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>An informer of a kind that the cluster may not have; costs nothing until it has.</summary>
internal sealed class OptionalInformer<T>(Informer<T> informer, IApiDiscovery discovery, ILogger log) : IOptionalCache<T>, IOptionalInformer
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private Task? _running;

    public bool IsServed => _running is not null && informer.Synced.IsCompletedSuccessfully;

    public IObjectCache<T> Cache => informer.Cache;

    public Task Ended => _running ?? Task.CompletedTask;

    public async Task<Task> LookAsync(CancellationToken ct)
    {
        if (_running is not null) return informer.Synced;
        var kind = ResourceKind.Of<T>();
        try
        {
            if (!(await discovery.ResourcesAsync(kind.Group, kind.Version, ct)).Contains(kind.Plural)) return Task.CompletedTask;
        }
        catch (KubeApiException error)
        {
            OperatorLog.NotDiscovered(log, kind.ApiVersion, error.Message);
            return Task.CompletedTask;
        }

        OperatorLog.Discovered(log, kind.ApiVersion, kind.Plural);
        _running = informer.RunAsync(ct);
        return informer.Synced;
    }
}

/// <summary>An informer of any kind that the cluster may not have.</summary>
internal interface IOptionalInformer
{
    /// <summary>Done when it runs no more, or never ran.</summary>
    Task Ended { get; }

    /// <summary>Begins when the cluster has the kind; gives a task that is done when all objects are here, or none are to be waited for.</summary>
    Task<Task> LookAsync(CancellationToken ct);
}
