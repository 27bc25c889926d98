using CsCheck;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>I1 to I5 of scheduling.md on a whole pass over random clusters, against counts that know nothing of how it works.</summary>
public sealed class AdmissionPlanProperties
{
    [Fact]
    public void I1_no_node_is_given_more_than_it_has() => Check((cluster, decision) =>
    {
        var before = Held(cluster, []);
        var after = Held(cluster, decision.Admitted);
        foreach (var node in cluster.Nodes.Select(node => node.Metadata.Name))
        {
            if (after[node] > before[node]) after[node].ShouldBeLessThanOrEqualTo(Has(cluster, node), $"{node} is oversubscribed");
        }
    });

    [Fact]
    public void I2_a_job_gets_all_its_nodes_or_none_and_so_does_a_group() => Check((cluster, decision) =>
    {
        foreach (var admitted in decision.Admitted) admitted.Nodes.Count.ShouldBe(admitted.Job.Spec.Nodes!.Value);
        decision.Admitted.Select(admitted => admitted.Job).ShouldBeUnique();
        decision.Admitted.Select(admitted => admitted.Job).Intersect(decision.Waiting.Select(waiting => waiting.Job)).ShouldBeEmpty();
        foreach (var tasks in Together(cluster).Select(tasks => tasks.Where(job => job.Status!.Phase == TrainingJobPhase.Queued).ToList()))
        {
            tasks.Count(job => decision.Admitted.Any(admitted => admitted.Job == job)).ShouldBeOneOf(0, tasks.Count);
        }
    });

    [Fact]
    public void I3_selectors_tolerations_readiness_and_topology_hold() => Check((cluster, decision) =>
    {
        foreach (var (job, nodes) in decision.Admitted.Select(admitted => (admitted.Job, cluster.Nodes.Where(node => admitted.Nodes.Contains(node.Metadata.Name)).ToList())))
        {
            nodes.ShouldAllBe(node => node.Spec.Unschedulable != true && node.Status!.Conditions![0].Status == "True");
            if (!RandomCluster.Stands(job)) nodes.ShouldAllBe(node => node.Spec.Taints == null);
            if (job.Spec.Env is not null) nodes.ShouldAllBe(node => node.Metadata.Labels["zone"] == "z1");
            if (job.Spec.Scheduling!.Topology is not { Mode: null }) continue;
            nodes.ShouldAllBe(node => node.Metadata.Labels.ContainsKey("rack"));
            nodes.Select(node => node.Metadata.Labels["rack"]).Distinct().Count().ShouldBe(1);
        }
    });

    [Fact]
    public void I4_victims_are_whole_lower_or_borrowers_willing_and_not_taken_for_nothing() => Check((cluster, decision) =>
    {
        var preempted = decision.Preempted.Where(eviction => !eviction.IsRestart && eviction.For is not null).ToList();
        foreach (var eviction in preempted)
        {
            var by = cluster.Jobs.Single(job => job.Key() == eviction.For);
            var unit = Together(cluster).FirstOrDefault(tasks => tasks.Contains(eviction.Job)) ?? [eviction.Job];
            var running = unit.Where(job => job.Status!.HasAttempt() || job.Status!.Phase == TrainingJobPhase.Restarting).ToList();
            running.ShouldAllBe(job => decision.Preempted.Any(other => other.Job == job), "a group gives way whole");
            running.ShouldAllBe(job => job.Spec.Scheduling!.Preemptible == true);
            running.Where(job => job.Spec.Scheduling!.MinRuntime is not null && job.Status!.HasAttempt())
                .ShouldAllBe(job => job.Status!.Since("PodsReady") <= RandomCluster.Now - TimeSpan.FromMinutes(5));
            var waits = Together(cluster).FirstOrDefault(tasks => tasks.Contains(by)) ?? [by];
            var isLower = running.Max(Priority) < waits.Max(Priority);
            (isLower || running.Exists(job => Queue(cluster, job) is { } queue && Use(cluster, queue, []) > Quota(queue) && queue != Queue(cluster, by))).ShouldBeTrue($"{eviction.Job.Metadata.Name} is neither lower nor a borrower");
            decision.Admitted.ShouldAllBe(admitted => admitted.Job != by, "who preempts waits for the room");
        }

        decision.Preempted.Select(eviction => eviction.Job).ShouldBeUnique();
        decision.Preempted.ShouldAllBe(eviction => decision.Admitted.All(admitted => admitted.Job != eviction.Job));
    });

    [Fact]
    public void I4_who_preempts_is_let_in_by_what_was_freed() => Check((cluster, decision) =>
    {
        if (decision.Preempted.Count == 0 || decision.Preempted.Any(eviction => eviction.For is null)) return;
        foreach (var eviction in decision.Preempted)
        {
            if (eviction.IsRestart) eviction.Job.Status!.Admission = null;
            else (eviction.Job.Status!.Phase, eviction.Job.Status.Admission) = (TrainingJobPhase.Suspended, null);
        }

        // All that was told to end has ended, and nobody else takes anything meanwhile.
        var ending = cluster.Jobs.Where(job => !job.Status!.HasAttempt()).Select(job => job.Metadata.Uid).ToHashSet();
        cluster.Pods.RemoveAll(pod => ending.Contains(pod.JobUid() ?? ""));
        foreach (var admitted in decision.Admitted)
        {
            var status = admitted.Job.Status!;
            (status.Phase, status.Attempt) = (TrainingJobPhase.Admitted, 9);
            status.Admission = new AdmissionStatus { Attempt = 9, Ranks = [.. admitted.Nodes.Select((node, rank) => new RankAssignment { Rank = rank, Node = node })] };
        }

        var winners = decision.Preempted.Select(eviction => eviction.For!.Value).ToHashSet();
        foreach (var job in cluster.Jobs.Where(job => job.Status!.Phase == TrainingJobPhase.Preempting)) job.Status!.Phase = TrainingJobPhase.Suspended;
        var names = winners.Select(key => cluster.Jobs.Single(job => job.Key() == key)).Select(job => Together(cluster).FirstOrDefault(tasks => tasks.Contains(job)) ?? [job]).SelectMany(tasks => tasks).ToHashSet();
        foreach (var job in cluster.Jobs.Where(job => job.Status!.Phase == TrainingJobPhase.Queued && !names.Contains(job))) job.Status!.Phase = TrainingJobPhase.Suspended;

        var next = cluster.Decide(decision);
        foreach (var by in decision.Preempted.Select(eviction => eviction.For!.Value).Distinct())
        {
            next.Admitted.ShouldContain(admitted => admitted.Job.Key() == by, $"{by} preempted and does not fit: {next.Waiting.FirstOrDefault(waiting => waiting.Job.Key() == by)?.Reason}");
        }
    });

    [Fact]
    public void I5_nobody_waits_for_what_is_there_while_nothing_is_promised() => Check((cluster, decision) =>
    {
        if (cluster.Queues.Count > 0 || decision.Preempted.Count > 0 || decision.Waiting.Any(waiting => Promises.Any(waiting.Reason.Contains))) return;
        var held = Held(cluster, decision.Admitted);
        foreach (var job in decision.Waiting.Where(waiting => waiting.Position is not null).Select(waiting => waiting.Job).Where(job => job.Spec.Scheduling!.Topology is not { Mode: null } && !Together(cluster).Any(tasks => tasks.Contains(job))))
        {
            cluster.Nodes.Where(node => Open(node) && Suits(node, job)).Sum(node => Math.Max(Has(cluster, node.Metadata.Name) - held[node.Metadata.Name], 0) / RandomCluster.Gpus(job)).ShouldBeLessThan(job.Spec.Nodes!.Value, job.Metadata.Name);
        }
    });

    [Fact]
    public void No_queue_that_may_not_borrow_grows_beyond_its_quota() => Check((cluster, decision) =>
    {
        foreach (var queue in cluster.Queues)
        {
            var (before, after) = (Use(cluster, queue, []), Use(cluster, queue, decision.Admitted));
            var most = Quota(queue) + (queue.Spec.Borrowing == true ? queue.Spec.BorrowingLimit is { } limit ? Quota(limit) : 1000 : 0);
            if (after > before) after.ShouldBeLessThanOrEqualTo(most, queue.Metadata.Name);
        }
    });

    [Fact]
    public void Who_waits_is_told_why_and_a_second_look_decides_the_same() => Check((cluster, decision) =>
    {
        decision.Waiting.ShouldAllBe(waiting => waiting.Reason.Length > 0);
        decision.Waiting.Where(waiting => waiting.Position is not null).Select(waiting => waiting.Position!.Value).Distinct().ShouldBe(Enumerable.Range(1, decision.Waiting.Max(waiting => waiting.Position) ?? 0));
        var again = cluster.Decide();
        again.Admitted.Select(admitted => $"{admitted.Job.Metadata.Name} {string.Join(",", admitted.Nodes)}").ShouldBe(decision.Admitted.Select(admitted => $"{admitted.Job.Metadata.Name} {string.Join(",", admitted.Nodes)}"));
        again.Waiting.Select(waiting => waiting.Reason).ShouldBe(decision.Waiting.Select(waiting => waiting.Reason));
    });

    private static readonly string[] Promises = ["nodes are ", "give up", "told to end", "keeps "];

    private static void Check(Action<RandomCluster, AdmissionDecision> holds) => Gen.Int[0, int.MaxValue].Sample(
        seed =>
        {
            var cluster = new RandomCluster(seed);
            holds(cluster, cluster.Decide());
        },
        iter: 500,
        print: seed => Describe(new RandomCluster(seed)));

    private static string Describe(RandomCluster cluster)
    {
        var decision = cluster.Decide();
        return string.Join('\n', [
            cluster.ToString(),
            .. decision.Admitted.Select(admitted => $"=> {admitted.Job.Metadata.Name} on {string.Join(',', admitted.Nodes)}"),
            .. decision.Preempted.Select(eviction => $"=> {eviction.Job.Metadata.Name}: {eviction.Message}"),
            .. decision.Waiting.Select(waiting => $"=> {waiting.Position} {waiting.Job.Metadata.Name}: {waiting.Reason}"),
        ]);
    }

    private static int Priority(TrainingJob job) => job.Spec.Scheduling!.Priority ?? 0;

    private static bool Open(NodeView node) => node.Spec.Unschedulable != true && node.Status!.Conditions![0].Status == "True";

    private static bool Suits(NodeView node, TrainingJob job) =>
        (RandomCluster.Stands(job) || node.Spec.Taints is null) && (job.Spec.Env is null || node.Metadata.Labels["zone"] == "z1");

    private static long Has(RandomCluster cluster, string node) => Quota(cluster.Nodes.Single(known => known.Metadata.Name == node).Status!.Allocatable!);

    private static long Quota(Dictionary<string, string> quantities) => (long)Quantity.Parse(quantities[Names.GpuResource]);

    private static long Quota(Queue queue) => Quota(queue.Spec.Quota!);

    private static IEnumerable<List<TrainingJob>> Together(RandomCluster cluster) => cluster.Groups.Where(group => group.Spec.Gang is not GangPolicy.PerTask)
        .Select(group => cluster.Jobs.Where(job => job.ControllerOwner()?.Uid == group.Metadata.Uid).ToList());

    private static Queue? Queue(RandomCluster cluster, TrainingJob job) => cluster.Queues.Find(queue => queue.Metadata.Name == (job.Spec.Scheduling!.Queue ?? "default"));

    // All ranks of what runs, and of what keeps nodes for its restart.
    private static long Use(RandomCluster cluster, Queue queue, IReadOnlyList<PlannedAdmission> admitted) => cluster.Jobs
        .Where(job => Queue(cluster, job) == queue && (job.Status!.HasAttempt() || job.Status!.Phase == TrainingJobPhase.Preempting || Keeps(job) || admitted.Any(other => other.Job == job)))
        .Sum(job => (long)RandomCluster.Gpus(job) * job.Spec.Nodes!.Value);

    private static bool Keeps(TrainingJob job) => job.Status is { Phase: TrainingJobPhase.Restarting, Admission: not null };

    // By node: pods of others, and of each job the larger of what its old pods hold and what is reserved or runs of its newest attempt.
    private static Dictionary<string, long> Held(RandomCluster cluster, IReadOnlyList<PlannedAdmission> admitted)
    {
        var held = cluster.Nodes.ToDictionary(node => node.Metadata.Name, _ => 0L);
        foreach (var pod in cluster.Pods.Where(pod => !pod.IsTerminal() && pod.JobUid() is null)) held[pod.Spec.NodeName!] += Gpus(pod);
        foreach (var job in cluster.Jobs)
        {
            var own = cluster.Pods.Where(pod => pod.JobUid() == job.Metadata.Uid).ToList();
            var newest = admitted.FirstOrDefault(other => other.Job == job)?.Nodes;
            foreach (var node in cluster.Nodes.Select(node => node.Metadata.Name))
            {
                var pods = own.Where(pod => !pod.IsTerminal() && pod.Spec.NodeName == node).Sum(Gpus);
                var reserved = newest is not null ? newest.Count(name => name == node)
                    : job.Status!.HasAttempt() || Keeps(job) ? job.Status!.Admission!.Ranks!.Count(rank => rank.Node == node && !(job.Status!.HasAttempt() && own.Exists(pod => pod.Rank() == rank.Rank && pod.IsTerminal())))
                    : 0;
                held[node] += Math.Max(pods, reserved * RandomCluster.Gpus(job));
            }
        }

        return held;
    }

    private static long Gpus(PodView pod) => Quota(pod.Spec.Containers![0].Resources!.Requests!);
}
