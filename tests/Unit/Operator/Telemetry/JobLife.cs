using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Tests.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Telemetry;

/// <summary>A job that the real planner and the real admission lead through its life; every state it has had is told as a transition.</summary>
internal sealed class JobLife
{
    private readonly World _world;
    private readonly Action<JobTransition> _told;
    private TrainingJob? _last;

    public JobLife(AJob job, Action<JobTransition> told)
    {
        (_world, _told) = (new World(job.Build()), told);
        Tell();
    }

    public static DateTime Noon { get; } = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);

    public TrainingJob Job => _world.Job!;

    public TimeProvider Time => _world.Time;

    public TrainingJobPhase? Phase => Job.Status?.Phase;

    public JobLife Wait(int seconds)
    {
        _world.Wait(TimeSpan.FromSeconds(seconds));
        return this;
    }

    public async Task<JobLife> AdmitAsync()
    {
        var nodes = Enumerable.Range(0, Job.Spec.Nodes ?? 1).Select(rank => $"n{rank}").ToList();
        await _world.Api.ReplaceStatusAsync(QueueStatuses.Admitted(Job, nodes, Time.GetUtcNow()), CancellationToken.None);
        Tell();
        return this;
    }

    /// <summary>Reconciles, letting what was told to end go, until the job is in the phase.</summary>
    public async Task<JobLife> ReachAsync(TrainingJobPhase phase)
    {
        for (var step = 0; step < 10 && Phase != phase; step++)
        {
            foreach (var pod in _world.Pods.Where(pod => pod.IsDeleting())) _world.Kubelet(pod, 0);
            _world.RefreshJobs();
            _world.RefreshPods();
            await _world.ReconcileAsync();
            Tell();
        }

        Phase.ShouldBe(phase);
        return this;
    }

    /// <summary>Every kubelet takes up its pods and runs them.</summary>
    public JobLife RunPods()
    {
        for (var step = 0; step < 2; step++)
        {
            foreach (var pod in _world.Pods.Where(pod => pod.Status?.Phase != "Running")) _world.Kubelet(pod, 0);
        }

        return this;
    }

    /// <summary>Every pod that runs ends so.</summary>
    public JobLife EndPods(int exit)
    {
        foreach (var pod in _world.Pods.Where(pod => pod.Status?.Phase == "Running")) _world.Kubelet(pod, exit);
        return this;
    }

    /// <summary>Queued for 8 s, 1 s until its pods are let go, 4 s until all run, 60 s of running, a failure, 20 s until it is admitted again, 2 s until all run, 30 s to the end.</summary>
    public async Task<JobLife> LiveAsync()
    {
        await Wait(2).ReachAsync(TrainingJobPhase.Queued);
        await Wait(8).AdmitAsync();
        await Wait(1).ReachAsync(TrainingJobPhase.Starting);
        await Wait(4).RunPods().ReachAsync(TrainingJobPhase.Running);
        await Wait(60).EndPods(1).ReachAsync(TrainingJobPhase.Restarting);
        await Wait(20).AdmitAsync();
        await ReachAsync(TrainingJobPhase.Starting);
        await Wait(2).RunPods().ReachAsync(TrainingJobPhase.Running);
        return await Wait(30).EndPods(0).ReachAsync(TrainingJobPhase.Succeeded);
    }

    private void Tell()
    {
        if (_last?.Metadata.ResourceVersion == Job.Metadata.ResourceVersion) return;
        var old = _last;
        _last = Job;
        _told(new JobTransition(old, _last));
    }
}
