using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling.Modes.Gangs;
using Trestle.Operator.Scheduling.Modes.Kueue;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>What the operator sees of other schedulers. Kinds that the cluster hasn't got are looked for again from time to time.</summary>
internal sealed class ModeInformers
{
    /// <summary>Between two looks for kinds that are not there.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(60);

    // A kind that we may not read must not keep the others from working.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly Selection Ours = new(Labels: $"{Labels.ManagedBy}={Labels.ManagedByValue}");

    private readonly IKubeApi _api;
    private readonly IApiDiscovery _discovery;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly List<IOptionalInformer> _all = [];
    private readonly KueueMode _kueue;
    private Action<ObjectKey> _changed = _ => { };

    /// <param name="api">The API server.</param>
    /// <param name="discovery">What it has.</param>
    /// <param name="options">Names of schedulers.</param>
    /// <param name="podOf">The pod of any rank of a job.</param>
    /// <param name="time">Clock of the looks.</param>
    /// <param name="log">Where findings are told.</param>
    public ModeInformers(IKubeApi api, IApiDiscovery discovery, OperatorOptions options, Func<TrainingJob, V1Pod> podOf, TimeProvider time, ILogger log)
    {
        (_api, _discovery, _time, _log) = (api, discovery, time, log);
        _kueue = new KueueMode(Add(Children<KueueWorkloadView>()), Add(Informer<KueueLocalQueueView>(Selection.All)), Add(Informer<KueueFlavorView>(Selection.All)), podOf);
        Modes = new AdmissionModes(
            [
                _kueue,
                new NativeMode(Add(Groups<PodGroupV1Beta1>()), Add(Groups<PodGroupV1Alpha2>())),
                new VolcanoMode(Add(Groups<VolcanoPodGroup>()), options.VolcanoScheduler),
                new CoschedulingMode(Add(Groups<CoschedulingPodGroup>()), options.CoschedulingScheduler),
            ],
            _kueue.IsLocalQueue);
    }

    /// <summary>The modes, with what is seen.</summary>
    public AdmissionModes Modes { get; }

    /// <summary>Tells a controller of changes that concern a job.</summary>
    public void Tell(Controller controller) => _changed = controller.Enqueue;

    /// <summary>Looks for all kinds, and waits until what there is of them is in the caches.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        var synced = new List<Task>();
        foreach (var informer in _all) synced.Add(await informer.LookAsync(ct));
        await Task.WhenAny(Task.WhenAll(synced), Task.Delay(Patience, _time, ct));
        ct.ThrowIfCancellationRequested();
    }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Interval, _time, ct);
                foreach (var informer in _all) await TryLookAsync(informer, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await Task.WhenAll(_all.Select(informer => informer.Ended)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TryLookAsync(IOptionalInformer informer, CancellationToken ct)
    {
        try
        {
            await informer.LookAsync(ct);
        }
        catch (HttpRequestException error)
        {
            OperatorLog.NotDiscovered(_log, "the API server", error.Message);
        }
    }

    private Informer<T> Informer<T>(Selection selection)
        where T : class, IKubernetesObject<V1ObjectMeta> => new(_api, selection, _time, _log);

    private Informer<T> Children<T>()
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = Informer<T>(Ours);
        informer.Changed += (old, now) =>
        {
            if ((now ?? old)!.ControllerOwner() is { Kind: TrainingJob.KubeKind } owner) _changed(new ObjectKey((now ?? old)!.Metadata.NamespaceProperty ?? "", owner.Name));
        };
        return informer;
    }

    private Informer<T> Groups<T>()
        where T : class, IPodGroup => Children<T>().WithIndex(GangIndex.Owner, GangIndex.OwnerOf);

    private OptionalInformer<T> Add<T>(Informer<T> informer)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var optional = new OptionalInformer<T>(informer, _discovery, _log);
        _all.Add(optional);
        return optional;
    }
}
