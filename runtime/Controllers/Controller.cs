using System.Diagnostics;
using System.Diagnostics.Metrics;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Trestle.Runtime;

/// <summary>Calls a reconciler for every object that changed, or whose children changed, with several workers.</summary>
public sealed class Controller : IDisposable
{
    /// <summary>Name of traces and metrics.</summary>
    public const string TelemetryName = "Trestle.Runtime";

    private static readonly ActivitySource Activities = new(TelemetryName);
    private static readonly Meter Meter = new(TelemetryName);
    private static readonly Histogram<double> Durations = Meter.CreateHistogram<double>("trestle.reconcile.duration", "s");
    private static readonly Counter<long> Failures = Meter.CreateCounter<long>("trestle.reconcile.failures");
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly List<Task> _caches = [];
    private readonly string _name;
    private readonly IReconciler _reconciler;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <param name="name">Name in logs and metrics.</param>
    /// <param name="reconciler">What to call.</param>
    /// <param name="time">Clock of delays.</param>
    /// <param name="log">Where failures are told.</param>
    public Controller(string name, IReconciler reconciler, TimeProvider time, ILogger log)
    {
        _name = name;
        _reconciler = reconciler;
        _time = time;
        _log = log;
        _queue = new WorkQueue<ObjectKey>(time, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));
    }

    /// <inheritdoc/>
    public void Dispose() => _queue.Dispose();

    /// <summary>Objects of this kind are reconciled.</summary>
    public Controller For<T>(Informer<T> informer)
        where T : class, IKubernetesObject<V1ObjectMeta> => Watches(informer, item => [item.Key()]);

    /// <summary>A change of a child is a change of the object that controls it, when that is of kind <paramref name="ownerKind"/>.</summary>
    public Controller Owns<T>(Informer<T> informer, string ownerKind)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Watches(informer, item => item.ControllerOwner() is { } owner && owner.Kind == ownerKind ? [new ObjectKey(item.Metadata.NamespaceProperty ?? "", owner.Name)] : []);

    /// <summary>A change of such an object is a change of the objects whose keys are given for its old and its new state.</summary>
    public Controller Watches<T>(Informer<T> informer, Func<T, IEnumerable<ObjectKey>> keys)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        _caches.Add(informer.Synced);
        informer.Changed += (old, now) =>
        {
            if (old is not null) foreach (var key in keys(old)) _queue.Add(key);
            if (now is not null) foreach (var key in keys(now)) _queue.Add(key);
        };
        foreach (var item in informer.Cache.Items)
        {
            foreach (var key in keys(item)) _queue.Add(key);
        }

        return this;
    }

    /// <summary>Reconciles one object soon, e.g. for an event that is no Kubernetes object.</summary>
    public void Enqueue(ObjectKey key) => _queue.Add(key);

    /// <summary>
    /// Works until cancelled; begins when the caches are filled; ends when the workers have ended. May be run again: changes
    /// that came in between, and work that was cut off, are waiting then.
    /// </summary>
    public async Task RunAsync(int workers, CancellationToken ct)
    {
        try
        {
            await Task.WhenAll(_caches).WaitAsync(ct);
            await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(ct), CancellationToken.None)));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    private async Task WorkAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var key = await _queue.TakeAsync(ct);
            try
            {
                await ReconcileAsync(key, ct);
            }
            finally
            {
                _queue.Done(key);
            }
        }
    }

    private async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        using var activity = Activities.StartActivity("reconcile");
        var began = _time.GetTimestamp();
        var tag = new KeyValuePair<string, object?>("controller", _name);
        try
        {
            var again = await _reconciler.ReconcileAsync(key, ct);
            _queue.Forget(key);
            if (again is { } wait) _queue.AddAfter(key, wait);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            _queue.Add(key); // for the next term, when there is one
            throw;
        }
        catch (Exception error)
        {
            Failures.Add(1, tag);
            activity?.SetStatus(ActivityStatusCode.Error);
            var wait = _queue.AddAfterFailure(key);
            if (error is KubeApiException or HttpRequestException or OperationCanceledException) RuntimeLog.ReconcileFailed(_log, _name, key, error.Message, wait.TotalSeconds);
            else RuntimeLog.ReconcileBroke(_log, error, _name, key, wait.TotalSeconds);
        }

        Durations.Record(_time.GetElapsedTime(began).TotalSeconds, tag);
    }
}
