using Trestle.Testing;

namespace Trestle.Integration.Tests.Kubectl;

/// <summary>A manifest that can't be right is refused by the definitions themselves, in one sentence that says what to change.</summary>
public sealed class BadManifestTests
{
    private static readonly (string Kind, string Spec, string Sentence)[] Refused =
    [
        ("TrainingJob", "{run: x, nodes: 0}", "spec.nodes: Invalid value: 0: spec.nodes in body should be greater than or equal to 1"),
        ("TrainingJob", "{run: x, nodez: 2}", "strict decoding error: unknown field \"spec.nodez\""),
        ("TrainingJob", "{run: x, resources: {accelerators: 8 H100}}", "accelerators must be NAME or NAME:COUNT, e.g. H100:8"),
        ("TrainingJob", "{run: x, timeLimit: 5 minutes}", "must be a duration such as 30s, 10m or 1h30m"),
        ("TrainingJob", "{run: x, workdir: {}}", "workdir needs exactly one of git and configMap"),
        ("TrainingJob", "{run: x, mounts: [{path: ckpts, storage: s}]}", "a mount path must be absolute"),
        ("TrainingJob", "{run: x, mounts: [{path: /ckpts}]}", "a mount needs exactly one of storage"),
        ("TrainingJob", "{run: x, env: [{name: A, value: b, valueFrom: {secretKeyRef: {name: s, key: k}}}]}", "an env entry takes value or valueFrom, not both; remove one"),
        ("TrainingJob", "{run: x, elastic: {minNodes: 3}}", "spec.elastic.minNodes: Invalid value: elastic.minNodes must not be greater than nodes"),
        ("JobGroup", "{tasks: []}", "spec.tasks in body should have at least 1 items"),
        ("JobGroup", "{tasks: [{name: a}]}", "a task needs exactly one of job and service"),
        ("JobGroup", "{tasks: [{name: a, job: {run: x}}, {name: a, job: {run: z}}]}", "spec.tasks[1]: Duplicate value"),
        ("Storage", "{}", "a Storage needs exactly one of s3 and file"),
        ("Storage", "{file: {path: ../a}}", "file.path must be absolute and without '..', e.g. /shared/objects"),
        ("Storage", "{file: {path: /a}, s3: {bucket: b}}", "a Storage needs exactly one of s3 and file"),
    ];

    private static readonly (string Kind, string Patch, string Sentence)[] Unchangeable =
    [
        ("trainingjob", """{"spec":{"nodes":3}}""", "spec.nodes can't change after creation; delete the job and create it again"),
        ("trainingjob", """{"spec":{"run":"y"}}""", "spec.run can't change after creation"),
        ("trainingjob", """{"spec":{"mounts":[{"path":"/m","storage":"s"}]}}""", "spec.mounts can't change after creation"),
        ("trainingjob", """{"spec":{"scheduling":{"queue":"q"}}}""", "spec.scheduling.queue can't change after creation"),
        ("jobgroup", """{"spec":{"tasks":[{"name":"b","job":{"run":"x"}}]}}""", "spec.tasks can't change after creation; delete the group and create it again"),
    ];

    [Fact]
    public async Task What_can_not_be_is_refused_in_one_sentence()
    {
        await using var session = await StartAsync();
        foreach (var (kind, spec, sentence) in Refused)
            ShouldSay(await session.RunAsync("apply", "-f", session.Manifest(kind, "bad", spec)), sentence);
        (await session.RunAsync("get", "trestle", "-o", "name")).ShouldExit(0).Out.ShouldBeEmpty("nothing was stored");
        ShouldSay(await session.RunAsync("apply", "-f", session.Manifest("TrainingJob", "1st", "{run: x}")), "metadata.name must start with a letter");
    }

    [Fact]
    public async Task What_must_stay_stays_and_the_rest_may_change()
    {
        await using var session = await StartAsync();
        (await session.RunAsync("apply", "-f", session.Manifest("TrainingJob", "made", "{run: x, nodes: 2}"))).ShouldExit(0);
        (await session.RunAsync("apply", "-f", session.Manifest("JobGroup", "made", "{tasks: [{name: a, job: {run: x}}]}"))).ShouldExit(0);
        foreach (var (kind, patch, sentence) in Unchangeable)
            ShouldSay(await session.RunAsync("patch", kind, "made", "--type=merge", "-p", patch), sentence);
        (await session.RunAsync("get", "tj", "made", "-o", "jsonpath={.metadata.generation}")).ShouldExit(0).Out.ShouldBe("1\n");
        (await session.RunAsync("patch", "tj", "made", "--type=merge", "-p", """{"spec":{"suspend":true,"ttlAfterFinished":"1h","scheduling":{"priority":3},"recovery":{"maxRestarts":9}}}""")).ShouldExit(0);
        (await session.RunAsync("patch", "jobgroup", "made", "--type=merge", "-p", """{"spec":{"terminationDelay":"9s"}}""")).ShouldExit(0);
    }

    [Fact]
    public async Task A_request_over_the_limit_is_refused_in_one_sentence()
    {
        await using var session = await StartAsync();
        session.Files.Write("big", new string('x', 4 << 20));
        ShouldSay(await session.RunAsync("create", "configmap", "big", "--from-file=big"), "Request entity too large: limit is 3145728");
    }

    private static async Task<KubectlSession> StartAsync()
    {
        var session = await KubectlSession.StartAsync();
        (await session.RunAsync("apply", "-f", RepositoryFiles.Path("crds"))).ShouldExit(0);
        return session;
    }

    private static void ShouldSay(CommandResult result, string sentence)
    {
        result.ShouldExit(1).Error.ShouldContain(sentence);
        result.Error.TrimEnd().ShouldNotContain('\n', result.ToString());
    }
}
