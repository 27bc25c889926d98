using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Tests.Slurm;

public sealed class RecordedStatesTests
{
    public static TheoryData<string, string> Moments()
    {
        var moments = new TheoryData<string, string>();
        foreach (var version in Samples.Versions)
        {
            foreach (var file in Samples.Files(version, "squeue-O-*.txt")) moments.Add(version, file["squeue-O-".Length..^".txt".Length]);
        }

        return moments;
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void Every_recorded_job_of_squeue_is_read_with_the_state_that_stands_there(string version, string moment)
    {
        var lines = Samples.Lines(version, $"squeue-O-{moment}.txt").Select(Samples.Cut).ToList();
        var jobs = SqueueQuery.Read(Samples.Squeue(version, moment), Samples.Separator);
        jobs.Count.ShouldBe(lines.Count);
        foreach (var cells in lines)
        {
            var job = jobs[cells[0]];
            job.State.Name.ShouldBe(cells[4]);
            job.State.Phase.ShouldNotBe(SlurmJobPhase.Unknown);
            job.Name.ShouldBe(cells[2]);
            job.Restarts.ToString().ShouldBe(cells[7]);
            (job.Exit is not null).ShouldBe(job.State.IsFinal);
        }
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void Every_recorded_job_of_sacct_is_read_with_a_state_that_is_known(string version, string moment)
    {
        var records = Samples.Lines(version, $"sacct-P-X-{moment}.txt").Skip(1).Select(line => line.Split('|')).ToList();
        var jobs = SacctQuery.Read(Samples.Sacct(version, moment), Samples.Separator);
        jobs.Keys.ShouldBe(records.Select(cells => cells[1]).Distinct(), ignoreOrder: true);
        foreach (var same in records.GroupBy(cells => cells[1]))
        {
            jobs[same.Key].State.Name.ShouldBe(same.Last()[3].Split(' ')[0]);
            jobs[same.Key].State.Phase.ShouldNotBe(SlurmJobPhase.Unknown);
            jobs[same.Key].Restarts.ShouldBe(same.Count() - 1);
        }
    }

    public static TheoryData<string, string, SlurmJobPhase, int, int> Ends() => new()
    {
        { "s-completed", "COMPLETED", SlurmJobPhase.Succeeded, 0, 0 },
        { "s-failed3", "FAILED", SlurmJobPhase.Failed, 3, 0 },
        { "s-sigkill", "FAILED", SlurmJobPhase.Failed, 0, 9 },
        { "s-badcwd", "FAILED", SlurmJobPhase.Failed, 0, 53 },
        { "s-badoutput", "FAILED", SlurmJobPhase.Failed, 0, 53 },
        { "s-oom", "OUT_OF_MEMORY", SlurmJobPhase.Failed, 0, 125 },
        { "s-derived", "COMPLETED", SlurmJobPhase.Succeeded, 0, 0 },
        { "s-oom-step", "FAILED", SlurmJobPhase.Failed, 1, 0 },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public void Queue_and_accounting_of_every_version_agree_about_an_end(string name, string state, SlurmJobPhase phase, int code, int signal)
    {
        foreach (var version in Samples.Versions)
        {
            foreach (var jobs in new[] { SqueueQuery.Read(Samples.Squeue(version, "after"), Samples.Separator), SacctQuery.Read(Samples.Sacct(version, "after"), Samples.Separator) })
            {
                var job = jobs.Values.First(job => job.Name == name);
                (job.State.Name, job.State.Phase).ShouldBe((state, phase), $"{version} {name}");
                job.Exit.ShouldBe(new ExitStatus(code, signal), $"{version} {name}");
                job.EndedAt.ShouldNotBeNull();
            }
        }
    }

    [Theory]
    [InlineData("s-timeout", "TimeLimit", false)]
    [InlineData("s-deadline", "Deadline", false)]
    [InlineData("s-nodefail-noreq", "NodeFail", true)]
    [InlineData("s-preempt-cancel", "Preempted", true)]
    [InlineData("s-cancel-running", "Cancelled", false)]
    public void Who_ended_a_job_is_told(string name, string reason, bool infrastructure)
    {
        foreach (var version in Samples.Versions)
        {
            var state = SqueueQuery.Read(Samples.Squeue(version, "after"), Samples.Separator).Values.First(job => job.Name == name).State;
            (state.Reason, state.IsInfrastructure, state.IsFinal).ShouldBe((reason, infrastructure, true), version);
        }
    }

    [Theory]
    [InlineData("s-held", "Held")]
    [InlineData("s-begintime", null)]
    [InlineData("s-resources", null)]
    public void What_waits_is_queued_and_what_is_held_says_so(string name, string? reason)
    {
        foreach (var version in Samples.Versions)
        {
            var job = SqueueQuery.Read(Samples.Squeue(version, "during"), Samples.Separator).Values.First(job => job.Name == name);
            (job.State.Phase, job.State.Reason, job.Exit).ShouldBe((SlurmJobPhase.Queued, reason, null), version);
        }
    }

    [Fact]
    public void A_requeued_job_counts_its_restarts_alike_in_queue_and_accounting()
    {
        foreach (var version in Samples.Versions)
        {
            SqueueQuery.Read(Samples.Squeue(version, "after"), Samples.Separator).Values.First(job => job.Name == "s-preempt-requeue").Restarts.ShouldBe(1, version);
            SacctQuery.Read(Samples.Sacct(version, "after"), Samples.Separator).Values.First(job => job.Name == "s-preempt-requeue").Restarts.ShouldBe(1, version);
        }
    }
}
