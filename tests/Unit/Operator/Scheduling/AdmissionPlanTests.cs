using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.Scheduling;

public sealed class AdmissionPlanTests
{
    private static PlannedCluster Cluster(params string[] nodes) => nodes.Aggregate(new PlannedCluster(), (cluster, node) => cluster.Node(node));

    [Fact]
    public void A_restart_has_the_nodes_it_kept_and_gets_only_what_is_missing() =>
        Admitted(Cluster("n1", "n2", "n3").Restarts("a", ["n2", null]).Decide()).ShouldBe(["a: n2,n1"]);

    [Fact]
    public void Nobody_else_gets_what_is_kept_not_even_while_the_restart_waits_for_its_time()
    {
        var decision = Cluster("n1").Restarts("a", ["n1"], waitMinutes: 5, oldPods: false).Waits("b").Decide();

        Admitted(decision).ShouldBeEmpty();
        Told(decision, "b").ShouldBe("waiting for 8 GPUs, 0 free");
    }

    [Fact]
    public void Old_pods_and_what_is_kept_are_counted_once() =>
        Admitted(Cluster("n1").Restarts("a", ["n1"], gpus: 4, waitMinutes: 5).Waits("b", gpus: 4).Decide()).ShouldBe(["b: n1"]);

    [Fact]
    public void A_restart_that_can_not_be_made_whole_goes_on_keeping_its_nodes()
    {
        var decision = Cluster("n1", "n2").Restarts("a", ["n1", null]).Runs("b", ["n2"], preemptible: false).Decide();

        decision.Preempted.ShouldBeEmpty();
        Told(decision, "a").ShouldBe("keeps 1 node of its last attempt; waiting for 8 GPUs, 0 free");
    }

    [Fact]
    public void Of_two_restarts_that_each_keep_what_the_other_needs_the_first_in_order_gets_it()
    {
        var decision = Cluster("n1", "n2").Restarts("a", ["n1", null], minutesAgo: 2).Restarts("b", ["n2", null], minutesAgo: 1).Decide();

        decision.Preempted.Select(eviction => (eviction.Job.Metadata.Name, eviction.IsRestart, eviction.For!.Value.Name)).ShouldBe([("b", true, "a")]);
        Told(decision, "a").ShouldBe("keeps 1 node of its last attempt; waiting for research/b to give up its nodes");
    }

    [Fact]
    public void A_more_important_job_gets_what_a_restart_keeps() =>
        Cluster("n1").Restarts("a", ["n1"], waitMinutes: 5).Waits("b", priority: 1).Decide().Preempted.ShouldHaveSingleItem().Message.ShouldBe("gave up the nodes kept for its restart to research/b");

    [Fact]
    public void After_the_longest_wait_a_restart_gives_up_what_it_keeps()
    {
        var decision = Cluster("n1", "n2").Restarts("a", ["n1", null], waitMinutes: -10).Runs("b", ["n2"], preemptible: false).Decide();

        decision.Preempted.ShouldHaveSingleItem().Message.ShouldBe("gave up the nodes kept for its restart: it could not be made whole within 10 min");
        decision.Preempted[0].For.ShouldBeNull();
    }

    [Fact]
    public void A_required_topology_is_one_domain_and_the_tightest_that_fits()
    {
        var cluster = new PlannedCluster().Node("n1", "r1").Node("n2", "r1").Node("n3", "r1").Node("n4", "r2").Node("n5", "r2").Node("n6");

        Admitted(cluster.Waits("a", nodes: 2, topology: TopologyMode.Required).Decide()).ShouldBe(["a: n4,n5"]);
        Told(cluster.Waits("b", nodes: 4, minutesAgo: 1, topology: TopologyMode.Required).Decide(), "b").ShouldBe("no rack has room for 4 nodes with 8 GPUs each; the best has 3");
    }

    [Fact]
    public void Who_needs_one_domain_and_can_not_have_it_does_not_keep_another_from_preempting()
    {
        var cluster = new PlannedCluster().Node("n1", "r1").Node("n2", "r2").Runs("low", ["n1", "n2"], priority: -1);

        var decision = cluster.Waits("a", nodes: 2, minutesAgo: 2, topology: TopologyMode.Required).Waits("b", nodes: 2, minutesAgo: 1, topology: TopologyMode.Preferred).Decide();

        decision.Preempted.ShouldHaveSingleItem().For!.Value.Name.ShouldBe("b");
    }

    [Fact]
    public void A_preferred_topology_takes_few_domains_and_neighbours_share_them() =>
        Admitted(new PlannedCluster().Node("n1", "r2").Node("n2", "r1").Node("n3", "r2").Node("n4", "r3").Waits("a", nodes: 3, topology: TopologyMode.Preferred).Decide()).ShouldBe(["a: n1,n3,n4"]);

    [Fact]
    public void A_topology_that_no_node_has_is_told() =>
        Told(Cluster("n1").Waits("a", topology: TopologyMode.Required).Decide(), "a").ShouldBe("no ready node has the label topology.kubernetes.io/rack that scheduling.topology names");

    [Fact]
    public void A_queue_is_held_to_its_quota_and_says_so()
    {
        var decision = Cluster("n1", "n2", "n3").Queue("research", 16).Runs("a", ["n1", "n2"], queue: "research").Waits("b", queue: "research").Decide();

        Admitted(decision).ShouldBeEmpty();
        Told(decision, "b").ShouldBe("queue research: 16 of 16 GPUs used; borrowing is off");
    }

    [Fact]
    public void A_queue_borrows_what_others_leave_and_no_more()
    {
        var cluster = Cluster("n1", "n2", "n3").Queue("research", 8, borrowing: true).Queue("prod", 8).Runs("a", ["n1"], queue: "research").Waits("b", queue: "research", minutesAgo: 1).Waits("c", queue: "research");

        Admitted(cluster.Decide()).ShouldBe(["b: n2"]);
        Told(cluster.Decide(), "c").ShouldBe("queue research: 16 of 8 GPUs used; the queues together have 0 left to borrow");
    }

    [Fact]
    public void Who_borrows_comes_after_all_who_do_not() =>
        Admitted(Cluster("n1", "n2").Queue("research", 8, borrowing: true).Queue("prod", 8).Runs("a", ["n1"], queue: "research").Waits("b", queue: "research", priority: 9, minutesAgo: 9).Waits("c", queue: "prod").Decide()).ShouldBe(["c: n2"]);

    [Fact]
    public void What_was_borrowed_is_taken_back_by_its_owner_whatever_the_priority()
    {
        var decision = Cluster("n1", "n2").Queue("research", 8, borrowing: true).Queue("prod", 8)
            .Runs("old", ["n1"], queue: "research", priority: 5, minutes: 90).Runs("new", ["n2"], queue: "research", priority: 5, minutes: 30).Waits("own", queue: "prod").Decide();

        decision.Preempted.Select(eviction => (eviction.Job.Metadata.Name, eviction.Message)).ShouldBe([("new", "preempted by research/own, whose queue takes back what was borrowed of its quota")]);
    }

    [Fact]
    public void A_job_that_would_borrow_preempts_nobody() =>
        Cluster("n1").Queue("research", 4, borrowing: true).Queue("prod", 8).Runs("a", ["n1"], queue: "prod", priority: -1).Waits("b", queue: "research", priority: 5).Decide().Preempted.ShouldBeEmpty();

    [Fact]
    public void A_queue_that_is_unknown_or_not_for_the_namespace_holds_the_job()
    {
        var decision = Cluster("n1").Queue("prod", 8, ns: "prod").Waits("a", queue: "reserch").Waits("b", queue: "prod").Decide();

        Told(decision, "a").ShouldBe("there is no queue reserch; create it, or change scheduling.queue");
        Told(decision, "b").ShouldBe("queue prod takes no jobs of namespace research; change scheduling.queue, or add the namespace to the queue");
        decision.Waiting.ShouldAllBe(waiting => waiting.Position == null);
    }

    [Fact]
    public void The_queue_called_default_takes_those_that_name_none()
    {
        Told(Cluster("n1").Queue("default", 4).Waits("a").Decide(), "a").ShouldBe("queue default: 0 of 4 GPUs used, 8 asked for; borrowing is off");
        Admitted(Cluster("n1").Queue("other", 4).Waits("a").Decide()).ShouldBe(["a: n1"]);
    }

    [Fact]
    public void Between_equals_the_queue_that_uses_less_of_its_quota_by_weight_goes_first() =>
        Admitted(Cluster("n1", "n2", "n3").Queue("x", 24).Queue("y", 24, weight: 4).Runs("a", ["n1"], queue: "x").Runs("b", ["n2"], queue: "y").Waits("c", queue: "x", minutesAgo: 9).Waits("d", queue: "y").Decide()).ShouldBe(["d: n3"]);

    [Fact]
    public void A_quota_of_an_accelerator_counts_only_jobs_that_ask_for_it()
    {
        var use = new QuotaItem("H100", 8, 0, new QuotaTotal());

        (use.Demand(Nodes.Gpus(4), 2), use.Demand(Nodes.Gpus(4, "A100"), 2), use.Demand(Nodes.Cpus(4), 2)).ShouldBe((8, 0, 0));
    }

    [Fact]
    public void The_least_important_gives_way_and_among_equals_who_loses_least_work()
    {
        var decision = Cluster("n1", "n2", "n3").Runs("a", ["n1"], priority: 1).Runs("b", ["n2"], durableAgo: 1).Runs("c", ["n3"], durableAgo: 30).Waits("d", priority: 2).Decide();

        decision.Preempted.Select(eviction => (eviction.Job.Metadata.Name, eviction.Message)).ShouldBe([("b", "preempted by research/d of priority 2")]);
        Told(decision, "d").ShouldBe("waiting for research/b to give up its nodes");
        Admitted(decision).ShouldBeEmpty();
    }

    [Fact]
    public void Who_is_not_needed_after_all_is_left_alone_the_most_important_first() =>
        Cluster("n1", "n2", "n3").Runs("small", ["n1"]).Runs("large", ["n2", "n3"], priority: 1).Waits("d", nodes: 2, priority: 2).Decide()
            .Preempted.Select(eviction => eviction.Job.Metadata.Name).ShouldBe(["large"]);

    [Fact]
    public void Nobody_gives_way_when_it_does_not_help_or_is_equal_unwilling_or_protected()
    {
        Cluster("n1").Runs("a", ["n1"]).Waits("b", nodes: 2, priority: 1).Decide().Preempted.ShouldBeEmpty();
        Cluster("n1").Runs("a", ["n1"]).Waits("b").Decide().Preempted.ShouldBeEmpty();
        Cluster("n1").Runs("a", ["n1"], preemptible: false).Waits("b", priority: 1).Decide().Preempted.ShouldBeEmpty();
        Cluster("n1").Runs("a", ["n1"], minRuntime: "2h").Waits("b", priority: 1).Decide().Preempted.ShouldBeEmpty();
        Cluster("n1").Runs("a", ["n1"], minRuntime: "30m").Waits("b", priority: 1).Decide().Preempted.Count.ShouldBe(1);
    }

    [Fact]
    public void Room_that_is_about_to_be_free_is_held_and_nobody_gives_way_twice()
    {
        var decision = Cluster("n1", "n2").Leaves("low", ["n1"]).Runs("other", ["n2"]).Waits("high", priority: 5).Waits("late", priority: 4).Decide();

        decision.Preempted.Select(eviction => (eviction.Job.Metadata.Name, eviction.For!.Value.Name)).ShouldBe([("other", "late")]);
        Told(decision, "high").ShouldBe("waiting for research/low to give up its nodes");
    }

    [Fact]
    public void Smaller_jobs_pass_one_that_waits_until_it_has_waited_too_long()
    {
        var cluster = Cluster("n1", "n2").Runs("a", ["n1"], preemptible: false).Waits("big", nodes: 2, minutesAgo: 9).Waits("small");
        Admitted(cluster.Decide()).ShouldBe(["small: n2"]);

        var late = Cluster("n1", "n2").Runs("a", ["n1"], preemptible: false).Waits("big", nodes: 2, minutesAgo: 12).Waits("small").Decide();
        Admitted(late).ShouldBeEmpty();
        Told(late, "big").ShouldBe("nodes are reserved for it as they become free; waiting for 16 GPUs, 8 free");
        Told(late, "small").ShouldBe("nodes are reserved for research/big, which has waited for over 10 min");
    }

    [Fact]
    public void Who_asks_for_more_than_there_is_reserves_nothing() =>
        Admitted(Cluster("n1").Waits("huge", nodes: 3, minutesAgo: 60).Waits("small").Decide()).ShouldBe(["small: n1"]);

    [Fact]
    public void Jobs_that_others_admit_are_not_decided_about_but_their_pods_count()
    {
        var decision = Cluster("n1").Runs("a", ["n1"], gpus: 4).With(job => (job.Status!.SchedulingMode, job.Status.Admission!.Ranks) = (SchedulingMode.Kueue, null))
            .Waits("b").With(job => job.Status!.SchedulingMode = SchedulingMode.Kueue).Waits("c", gpus: 4).Waits("d", gpus: 4, priority: -1).Decide();

        Admitted(decision).ShouldBe(["c: n1"]);
        decision.Waiting.ShouldHaveSingleItem().Job.Metadata.Name.ShouldBe("d");
    }

    [Fact]
    public void A_group_gives_way_whole_and_one_that_began_to_does_so_to_the_end()
    {
        var group = AGroup.Named().Primary("train").Auxiliary("eval").Build();
        group.Metadata.Uid = "uid-g";
        var train = AGroup.JobOf(group, "train", TrainingJobPhase.Preempting, "preempted by research/x of priority 3");
        var eval = AGroup.JobOf(group, "eval", TrainingJobPhase.Running, change: job => (job.Status!.Attempt, job.Status.Admission) = (1, new AdmissionStatus { Attempt = 1, Ranks = [new RankAssignment { Node = "n1" }] }));
        foreach (var job in (TrainingJob[])[train, eval]) job.Spec.Resources = new Resources { Accelerators = "1" };

        AdmissionPlan.Make([train, eval], [group], [], [], [], PlannedCluster.Noon, new AdmissionOptions { PodOf = RandomCluster.PodOf })
            .Preempted.ShouldHaveSingleItem().ShouldBe(new PlannedPreemption(eval, null, false, "preempted by research/x of priority 3"));
    }

    private static IEnumerable<string> Admitted(AdmissionDecision decision) => decision.Admitted.Select(admitted => $"{admitted.Job.Metadata.Name}: {string.Join(",", admitted.Nodes)}");

    private static string Told(AdmissionDecision decision, string job) => decision.Waiting.Single(waiting => waiting.Job.Metadata.Name == job).Reason;
}
