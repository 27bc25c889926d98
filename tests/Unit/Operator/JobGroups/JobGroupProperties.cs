using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.JobGroups;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.JobGroups;

/// <summary>Groups whose jobs do as they like.</summary>
public sealed class JobGroupProperties
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(30);

    // Of each step: which job does what, and how much later.
    private static readonly Gen<(int Job, int Fate, int Seconds)[]> Steps = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[0, 20]).Array[0, 25];

    private static readonly Gen<(TaskRole?[] Roles, bool Cancels, (int Job, int Fate, int Seconds)[] Steps)> Histories =
        Gen.Select(Gen.OneOf<TaskRole?>(TaskRole.Primary, TaskRole.Auxiliary, null).Array[1, 4], Gen.Bool, Steps);

    [Fact]
    public void Every_group_ends_once_its_jobs_do_as_they_are_told() => Histories.Sample(history =>
    {
        var world = Play(history);
        world.Settle();
        world.Group.Status!.Phase!.Value.ShouldBeOneOf(JobGroupPhase.Succeeded, JobGroupPhase.Failed, JobGroupPhase.Cancelled);
        world.Jobs.ShouldAllBe(job => job.Status!.HasEnded());
        world.Group.Status.Phase.ShouldBe(Outcome(world));
    });

    [Fact]
    public void Nobody_is_told_to_end_before_the_delay_while_all_goes_well() => Histories.Sample(history =>
    {
        foreach (var (job, at) in Play(history).Told)
        {
            if (job.Primaries.Any(primary => primary != TrainingJobPhase.Succeeded)) continue;
            at.ShouldBeGreaterThanOrEqualTo(job.AllEndedAt + Delay);
        }
    });

    [Fact]
    public void A_running_primary_is_left_alone_unless_somebody_cancels_the_group() => Histories.Sample(history =>
    {
        if (history.Cancels) return;
        foreach (var (told, _) in Play(history).Told) told.Primaries.ShouldAllBe(phase => IsEnd(phase));
    });

    private static bool IsEnd(TrainingJobPhase phase) => phase is TrainingJobPhase.Succeeded or TrainingJobPhase.Failed or TrainingJobPhase.Cancelled;

    private static JobGroupPhase Outcome(World world)
    {
        var phases = world.Primaries;
        return phases.Contains(TrainingJobPhase.Failed) ? JobGroupPhase.Failed : phases.All(phase => phase == TrainingJobPhase.Succeeded) ? JobGroupPhase.Succeeded : JobGroupPhase.Cancelled;
    }

    private static World Play((TaskRole?[] Roles, bool Cancels, (int Job, int Fate, int Seconds)[] Steps) history)
    {
        var group = AGroup.Named().Delay("30s");
        for (var task = 0; task < history.Roles.Length; task++) group.Task($"t{task}", history.Roles[task]);
        var world = new World(group.Build());
        for (var step = 0; step < history.Steps.Length; step++)
        {
            world.Look();
            if (history.Cancels && step == history.Steps.Length / 2) group.Cancelled();
            world.Step(history.Steps[step]);
        }

        world.Look();
        return world;
    }

    /// <summary>What a planner was looking at when it told a job to end.</summary>
    private sealed record Situation(IReadOnlyList<TrainingJobPhase> Primaries, DateTimeOffset AllEndedAt);

    private sealed class World(JobGroup group)
    {
        private DateTimeOffset _now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        private DateTimeOffset _primariesEndedAt = DateTimeOffset.MaxValue;

        public JobGroup Group => group;

        public List<TrainingJob> Jobs { get; } = [];

        public List<(Situation Situation, DateTimeOffset At)> Told { get; } = [];

        public IReadOnlyList<TrainingJobPhase> Primaries =>
            [.. Jobs.Where(job => IsPrimary(job.Metadata.Labels[Api.Launch.Labels.Task])).Select(job => job.Status!.Phase!.Value)];

        public void Look()
        {
            var isCancelled = group.IsCancelled();
            var ended = group.Status?.Phase is JobGroupPhase.Succeeded or JobGroupPhase.Failed or JobGroupPhase.Cancelled ? group.Status.Phase : null;
            var plan = JobGroupPlanner.Plan(new ObservedGroup(group, [.. Jobs]), _now);
            if (plan.Status is not null) group.Status = plan.Status;
            if (ended is not null) group.Status!.Phase.ShouldBe(ended, "a group that is over stays as it ended");
            foreach (var task in plan.Create) Jobs.Add(AGroup.JobOf(group, task.Name, TrainingJobPhase.Queued));
            foreach (var job in plan.Cancel)
            {
                job.Metadata.Annotations = new Dictionary<string, string> { [Api.Launch.Annotations.Cancel] = "true" };
                if (!isCancelled) Told.Add((new Situation(Primaries, _primariesEndedAt), _now));
            }
        }

        public void Step((int Job, int Fate, int Seconds) step)
        {
            _now = _now.AddSeconds(step.Seconds);
            if (Jobs.Count > 0) Meet(Jobs[step.Job % Jobs.Count], step.Fate);
            if (_primariesEndedAt == DateTimeOffset.MaxValue && Jobs.Count > 0 && Primaries.All(IsEnd)) _primariesEndedAt = _now;
        }

        public void Settle()
        {
            for (var round = 0; round < 6; round++)
            {
                Look();
                foreach (var job in Jobs.Where(job => job.IsCancelled())) Meet(job, 4);
                foreach (var job in Jobs.Where(job => IsPrimary(job.Metadata.Labels[Api.Launch.Labels.Task]))) Meet(job, 1);
                _now += Delay;
            }
        }

        private static void Meet(TrainingJob job, int fate)
        {
            var status = job.Status!;
            if (status.HasEnded()) return;
            status.Phase = fate switch
            {
                1 => TrainingJobPhase.Succeeded,
                2 => TrainingJobPhase.Failed,
                3 => TrainingJobPhase.Restarting,
                4 when job.IsCancelled() => TrainingJobPhase.Cancelled,
                _ => TrainingJobPhase.Running,
            };
        }

        private bool IsPrimary(string task) =>
            !group.Spec.Tasks.Exists(known => known.Role == TaskRole.Primary) || group.Spec.Tasks.Single(known => known.Name == task).Role == TaskRole.Primary;
    }
}
