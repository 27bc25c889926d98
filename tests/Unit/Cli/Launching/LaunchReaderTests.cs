using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Launching;
using Trestle.Cli.Tests.Commands;

namespace Trestle.Cli.Tests.Launching;

public sealed class LaunchReaderTests
{
    private static readonly LaunchScene Scene = new("default", "alice", "/state/objects", JobGroup: null, InsidePod: false, "abcde");

    [Fact]
    public void Secrets_of_a_SkyPilot_file_belong_to_one_launch_of_it()
    {
        var input = Read("name: train\nrun: a\nsecrets: {TOKEN: hunter2}\n", new LaunchOverrides());
        var plan = LaunchPlanner.Plan(input, new LaunchOverrides { Name = "again" }, Scene, new Dictionary<string, IReadOnlyDictionary<string, string>>());
        var secret = plan.Operations[0].Object.ShouldBeOfType<V1Secret>();
        (secret.Metadata.Name, secret.Metadata.NamespaceProperty, secret.Metadata.Labels["trestle.dev/job-name"], plan.Operations[0].OwnedBy)
            .ShouldBe(("train-secrets-abcde", "default", "again", "again"));
        ((TrainingJob)plan.Launched.Single().Object).Spec.Env!.Single().ValueFrom!.SecretKeyRef!.Name.ShouldBe("train-secrets-abcde");
    }

    [Fact]
    public void A_Secret_of_a_file_that_belongs_to_no_job_keeps_its_name()
    {
        var input = Read("""
            apiVersion: v1
            kind: Secret
            metadata: {name: wandb, labels: {trestle.dev/job-name: other}}
            stringData: {key: k}
            ---
            apiVersion: trestle.dev/v1alpha1
            kind: TrainingJob
            metadata: {name: train}
            spec: {run: a}
            """, new LaunchOverrides());
        var plan = LaunchPlanner.Plan(input, new LaunchOverrides(), Scene, new Dictionary<string, IReadOnlyDictionary<string, string>>());
        (plan.Operations[0].Name, plan.Operations[0].OwnedBy).ShouldBe(("wandb", null));
    }

    [Fact]
    public void A_variable_that_the_file_leaves_open_is_given_on_the_command_line()
    {
        const string Text = "run: a\nenvs: {LR: }\n";
        Should.Throw<CliException>(() => Read(Text, new LaunchOverrides())).Message
            .ShouldBe("standard input:2: LR has no value; write one, or give it with --env LR=VALUE");
        Read(Text, new LaunchOverrides { Env = new Dictionary<string, string> { ["LR"] = "1" } }).Objects.Count.ShouldBe(1);
    }

    [Fact]
    public void Every_error_of_a_file_is_told_and_the_exit_code_is_1()
    {
        var error = Should.Throw<CliException>(() => Read("num_node: 1\nrun: a\nresources: {gpu: 1}\n", new LaunchOverrides()));
        error.Message.ShouldBe("standard input:1: a task has no key 'num_node'; did you mean 'num_nodes'?");
        error.Also.ShouldBe(["standard input:3: resources has no key 'gpu'; did you mean 'gpus'?"]);
        error.ExitCode.ShouldBe(ExitCode.Error);
    }

    [Fact]
    public async Task Convert_writes_the_manifest_and_beside_it_what_became_of_each_line()
    {
        var host = new CapturedHost(input: "name: Train\nnum_nodes: 2\nrun: a\nfile_mounts: {/c: {name: ckpts, mode: MOUNT_CACHED}}\n");
        (await host.RunAsync("convert", "-")).ShouldBe(ExitCode.Ok);
        host.OutText.ShouldContain("kind: TrainingJob");
        host.OutText.ShouldContain("kind: Storage");
        host.ErrorText.ShouldContain("standard input:1: needs you: name Train becomes train");
        host.ErrorText.ShouldContain("standard input:2: mapped: num_nodes → nodes");
    }

    private static LaunchInput Read(string text, LaunchOverrides overrides) => LaunchReader.Read(["-"], [], overrides, new CapturedHost(input: text).Host);
}
