using System.Net;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.JobGroups;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Tests.Fakes;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.JobGroups;

public sealed class JobGroupReconcilerTests
{
    private static readonly ObjectKey Key = new("research", "g");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly FakeKubeApi _api;
    private readonly FakeCache<JobGroup> _groups;
    private readonly FakeCache<TrainingJob> _jobs;
    private readonly CollectedEvents _events = new();
    private readonly JobGroupReconciler _reconciler;

    public JobGroupReconcilerTests()
    {
        _api = new FakeKubeApi(_time);
        (_groups, _jobs) = (new(_api), new(_api, JobGroupReconciler.GroupKey));
        _reconciler = new JobGroupReconciler(_api, _groups, _jobs, _events, _time);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private JobGroup Group => _api.Find<JobGroup>(Key)!;

    [Fact]
    public async Task A_new_group_gets_its_finalizer_its_service_and_its_jobs()
    {
        await BeginAsync(AGroup.Named().Primary("train").Auxiliary("eval").With(group => (group.Metadata.Finalizers, group.Metadata.Annotations) = (null, new Dictionary<string, string> { [Annotations.User] = "ada" })));

        Group.Metadata.Finalizers.ShouldBe([Names.GroupFinalizer]);
        var service = _api.Find<V1Service>(Key)!;
        (service.Spec.ClusterIP, service.Spec.PublishNotReadyAddresses, service.Spec.Selector[Labels.JobGroup]).ShouldBe(("None", true, "g"));
        var job = Job("g-train");
        job.IsControlledBy(Group).ShouldBeTrue();
        (job.Spec.Group, job.Spec.Run, job.Label(Labels.JobGroup), job.Label(Labels.Task), job.Annotation(Annotations.User)).ShouldBe(("g", "true", "g", "train", "ada"));
        _api.All<TrainingJob>().Count.ShouldBe(2);
    }

    [Fact]
    public async Task Looking_again_writes_nothing()
    {
        await BeginAsync(AGroup.Named().Primary("train"));
        var requests = _api.Requests;

        await LookAsync();

        _api.Requests.ShouldBe(requests);
    }

    [Fact]
    public async Task The_end_of_the_primary_ends_the_others_and_then_the_group()
    {
        await BeginAsync(AGroup.Named().Primary("train").Auxiliary("eval"));
        await SetAsync("g-train", TrainingJobPhase.Succeeded);
        await SetAsync("g-eval", TrainingJobPhase.Running);
        await LookAsync();
        Job("g-eval").IsCancelled().ShouldBeTrue();
        Job("g-train").IsCancelled().ShouldBeFalse();
        await SetAsync("g-eval", TrainingJobPhase.Cancelled);
        await LookAsync();

        Group.Status!.Phase.ShouldBe(JobGroupPhase.Succeeded);
        _events.All.Select(told => told.Reason).ShouldBe(["TasksPending", "PrimariesSucceeded", "PrimariesSucceeded"]);
    }

    [Fact]
    public async Task A_service_of_somebody_else_is_told_and_no_job_is_created()
    {
        await _api.CreateAsync(new V1Service { Metadata = new V1ObjectMeta { Name = "g", NamespaceProperty = "research" } }, Ct);
        await BeginAsync(AGroup.Named().Primary("train"));

        _api.All<TrainingJob>().ShouldBeEmpty();
        (Group.Status!.Phase, Group.Status.Reason, Group.Status.Message).ShouldBe((JobGroupPhase.Pending, "NameTaken", "Service g is there already and is not of this group; delete it, or rename the group"));
    }

    [Fact]
    public async Task A_task_that_the_server_refuses_fails_the_group_with_its_sentence()
    {
        _api.Intercept = (verb, plural) =>
        {
            if (verb == "create" && plural == "trainingjobs") throw new KubeApiException(HttpStatusCode.UnprocessableEntity, "Invalid", "spec.nodes must be 1 or more");
        };
        await BeginAsync(AGroup.Named().Primary("train"));

        (Group.Status!.Phase, Group.Status.Message).ShouldBe((JobGroupPhase.Failed, "task train: spec.nodes must be 1 or more"));
    }

    [Fact]
    public async Task Deleting_the_group_deletes_launched_jobs_and_lets_it_go()
    {
        await BeginAsync(AGroup.Named().Primary("train"));
        await _api.CreateAsync(AJob.Named("sweep").With(job => (job.Spec.Group, job.Metadata.Finalizers) = ("g", null)).Build(), Ct);
        await _api.DeleteAsync<JobGroup>(Key, Deletion.Default, Ct);
        await LookAsync();

        _api.Find<JobGroup>(Key).ShouldBeNull();
        _api.All<TrainingJob>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_crash_at_any_request_is_made_good_by_looking_again()
    {
        for (var crashAt = 1; crashAt < 12; crashAt++)
        {
            var world = new JobGroupReconcilerTests();
            var requests = 0;
            await world._api.CreateAsync(AGroup.Named().Primary("train").Auxiliary("eval").With(group => group.Metadata.Finalizers = null).Build(), Ct);
            world._api.Intercept = (_, _) =>
            {
                if (++requests == crashAt) throw new HttpRequestException("cut off");
            };
            for (var look = 0; look < 5; look++)
            {
                try
                {
                    await world.LookAsync();
                }
                catch (HttpRequestException)
                {
                    // The controller tries again.
                }
            }

            world._api.All<TrainingJob>().Select(job => job.Metadata.Name).ShouldBe(["g-train", "g-eval"], ignoreOrder: true);
            world.Group.Status!.Tasks!.ShouldAllBe(task => task.Phase == "Pending");
        }
    }

    private async Task BeginAsync(AGroup group)
    {
        await _api.CreateAsync(group.Build(), Ct);
        for (var look = 0; look < 3; look++) await LookAsync();
    }

    private async Task LookAsync()
    {
        _groups.Refresh();
        _jobs.Refresh();
        await _reconciler.ReconcileAsync(Key, Ct);
    }

    private TrainingJob Job(string name) => _api.Find<TrainingJob>(new ObjectKey("research", name))!;

    private async Task SetAsync(string name, TrainingJobPhase phase)
    {
        var job = Job(name);
        job.Status = new TrainingJobStatus { Phase = phase };
        await _api.ReplaceStatusAsync(job, Ct);
    }
}
