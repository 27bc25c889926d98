using Trestle.Api.Manifests;

namespace Trestle.Api.Tests.Manifests;

public sealed class BadManifestTests
{
    private const string Job = "apiVersion: trestle.dev/v1alpha1\nkind: TrainingJob\nmetadata: {name: x}\nspec:\n";
    private const string Group = "name: g\nexecution: parallel\n";

    [Theory]
    [InlineData("", "f:1: there is nothing in this file; write a job, e.g. name: hello and run: echo hello")]
    [InlineData("just text", "f:1: a manifest is a map of keys and values, not text; see trestle launch --help")]
    [InlineData("- 1\n- 2\n", "f:1: a manifest is a map of keys and values, not a list; see trestle launch --help")]
    [InlineData("run: *nothing\n", "f:1: *nothing stands for nothing; write &nothing before it")]
    [InlineData("run: a\nrun: b\n", "f:2: the key 'run' is there twice; remove one")]
    [InlineData("run: !!binary AAEC\n", "f:1: run is binary data (!!binary); write it as text")]
    [InlineData("run: !env X\n", "f:1: run has the tag !env, which means nothing here; remove the tag")]
    [InlineData("#!/bin/bash\necho hi\n", "f:1: this is a script and not a manifest; run it with: trestle launch -- sh SCRIPT")]
    [InlineData("#!/bin/bash\n#SBATCH -N 4\nsrun x\n", "f:2: sbatch scripts come with the Slurm bridge; until then write the job as YAML, or run the script with: trestle launch -- sh SCRIPT")]
    public void What_is_no_manifest_gets_one_sentence(string text, string sentence) => Only(text).ShouldBe(sentence);

    [Theory]
    [InlineData("  node: 4\n  run: a\n", "f:5: spec has no field 'node'; did you mean 'nodes'?")]
    [InlineData("  run: a\n  resources:\n    acelerators: H100\n", "f:7: spec.resources has no field 'acelerators'; did you mean 'accelerators'?")]
    [InlineData("  run: a\n  resources: {accelerators: 'H100:x'}\n", "f:6: accelerators must be NAME or NAME:COUNT, e.g. H100:8; got 'H100:x'")]
    [InlineData("  run: a\n  nodes: four\n", "f:6: spec.nodes must be a whole number, not 'four'")]
    [InlineData("  run: a\n  nodes: 0\n", "f:6: spec.nodes must be from 1 to 10000, not 0")]
    [InlineData("  run: a\n  nodes: 99999999999999999999\n", "f:6: spec.nodes must be a whole number, not '99999999999999999999'")]
    [InlineData("  nodes: 1\n", "f:5: spec.run is missing")]
    [InlineData("  run: ''\n", "f:5: spec.run is empty; write the commands to run")]
    [InlineData("  run: \"a\\0b\"\n", "f:5: spec.run must be text that a shell can execute; it holds binary data (character U+0000)")]
    [InlineData("  run: [a]\n", "f:5: spec.run must be text, not a list")]
    [InlineData("  run: a\n  env: [{name: A, value: 1}]\n", "f:6: spec.env[0].value must be text; put it in quotes: \"1\"")]
    [InlineData("  run: a\n  env: {A: b}\n", "f:6: spec.env must be a list, not a map")]
    [InlineData("  run: a\n  suspend: maybe\n", "f:6: spec.suspend must be true or false, not 'maybe'")]
    [InlineData("  run: a\n  timeLimit: soon\n", "f:6: spec.timeLimit must be a duration such as 30s, 10m or 1h30m, not 'soon'")]
    [InlineData("  run: a\n  resources: {memory: lots}\n", "f:6: spec.resources.memory must be a number with an optional unit, e.g. 4, 500m or 64Gi, not 'lots'")]
    [InlineData("  run: a\n  mounts: [{path: /a, storage: s, mode: MountCache}]\n", "f:6: spec.mounts[0].mode can't be 'MountCache'; did you mean 'MountCached'?")]
    public void A_job_in_our_own_words_is_read_strictly(string spec, string sentence) => Only(Job + spec).ShouldBe(sentence);

    [Theory]
    [InlineData("apiVersion: trestle.dev/v1alpha1\nmetadata: {name: x}\n", "f:1: kind is missing; write e.g. kind: TrainingJob")]
    [InlineData("kind: TraningJob\n", "f:1: kind TraningJob can't be launched; did you mean 'TrainingJob'?")]
    [InlineData("kind: Pod\napiVersion: v1\n", "f:1: kind Pod can't be launched; it takes TrainingJob, JobGroup, InferenceService, Storage, SlurmCluster, ConfigMap, Secret")]
    [InlineData("apiVersion: v1\nkind: TrainingJob\n", "f:1: apiVersion of a TrainingJob must be trestle.dev/v1alpha1")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n", "f:1: metadata.name is missing")]
    public void A_kind_that_is_not_ours_is_named(string text, string sentence) => Only(text).ShouldBe(sentence);

    [Theory]
    [InlineData("num_node: 4\nrun: a\n", "f:1: a task has no key 'num_node'; did you mean 'num_nodes'?")]
    [InlineData("frobnicate: 4\nrun: a\n", "f:1: a task has no key 'frobnicate'; it takes name, num_nodes, resources, workdir, envs, secrets, file_mounts, setup, run, config")]
    [InlineData("name: x\nnum_nodes: 2\n", "f:1: a task needs run: the commands to run on every node")]
    [InlineData("run: a\nnum_nodes: 0\n", "f:2: num_nodes must be a whole number from 1 to 10000, not '0'")]
    [InlineData("run: \"\\x01\"\n", "f:1: run must be text that a shell can execute; it holds binary data (character U+0001)")]
    [InlineData("run: a\nresources: {gpu: H100}\n", "f:2: resources has no key 'gpu'; did you mean 'gpus'?")]
    [InlineData("run: a\nresources: {gpus: 'H100:'}\n", "f:2: accelerators must be NAME or NAME:COUNT, e.g. H100:8; got 'H100:'")]
    [InlineData("run: a\nresources: {gpus: 'H100:0.5'}\n", "f:2: accelerators must be NAME or NAME:COUNT, e.g. H100:8; got 'H100:0.5'")]
    [InlineData("run: a\nresources: {cpus: many}\n", "f:2: cpus must be a number of cores, e.g. 4 or 4+, not 'many'")]
    [InlineData("run: a\nresources: {memory: 3x}\n", "f:2: memory must be an amount, e.g. 32 (gigabytes), 32+ or 64GB, not '3x'")]
    [InlineData("run: a\nresources: {image_id: ami-12}\n", "f:2: image_id must be docker:IMAGE, e.g. docker:python:3.12, not 'ami-12'")]
    [InlineData("run: a\nresources: {infra: aws/us-east-1}\n", "f:2: infra must be k8s, slurm/CLUSTER or slurm/CLUSTER/PARTITION, not 'aws/us-east-1'; Trestle runs on the nodes of your clusters and makes no machines")]
    [InlineData("run: a\nresources: {infra: slurm}\n", "f:2: infra must be k8s, slurm/CLUSTER or slurm/CLUSTER/PARTITION, not 'slurm'; Trestle runs on the nodes of your clusters and makes no machines")]
    [InlineData("run: a\nresources: {priority: 2000}\n", "f:2: priority must be a whole number from -1000 to 1000, not '2000'")]
    [InlineData("run: a\nresources: {any_of: {infra: k8s}}\n", "f:2: any_of must be a list of resources, e.g. - infra: k8s")]
    [InlineData("run: a\nresources: {job_recovery: {max_restarts_on_error: 3}}\n", "f:2: job_recovery has no key 'max_restarts_on_error'; did you mean 'max_restarts_on_errors'?")]
    [InlineData("run: a\nfile_mounts: {data: 's3://b'}\n", "f:2: the mount path 'data' must be absolute and without '..' and ':', e.g. /checkpoints")]
    [InlineData("run: a\nfile_mounts: {/data: ./local}\n", "f:2: './local' is on this machine, and only workdir is sent along; put it into the workdir, or into a bucket")]
    [InlineData("run: a\nfile_mounts: {/data: 'gs://b'}\n", "f:2: 'gs://b' is a store that can't be mounted; use s3://bucket/prefix, or an S3-compatible endpoint through a Storage")]
    [InlineData("run: a\nfile_mounts: {/data: {mode: MOUNT}}\n", "f:2: a file mount needs name: (a bucket by name) or source: (s3://bucket/prefix)")]
    [InlineData("run: a\nfile_mounts: {/data: {name: b, mode: MOUNT_CACHE}}\n", "f:2: mode can't be 'MOUNT_CACHE'; did you mean 'MOUNT_CACHED'?")]
    [InlineData("run: a\nenvs: {TOKEN: }\n", "f:2: TOKEN has no value; write one, or give it with --env TOKEN=VALUE")]
    [InlineData("run: a\nsecrets: {TOKEN: null}\n", "f:2: TOKEN has no value; write one, or give it with --secret TOKEN")]
    [InlineData("run: a\nenvs: {A-B: c}\n", "f:2: 'A-B' can't be the name of a variable; use letters, digits and _")]
    [InlineData("run: a\nenvs: {A: b}\nsecrets: {A: c}\n", "f:3: A is in envs and in secrets; remove it from one of them")]
    [InlineData("run: a\nvolumes: {/data: v}\n", "f:2: volumes: volumes are not supported; use file_mounts with name: and mode:, or config.kubernetes.pod_config")]
    public void A_task_of_SkyPilot_is_read_strictly(string text, string sentence) => Only(text).ShouldBe(sentence);

    [Theory]
    [InlineData(Group, "f:1: the group has no task; write each task as a document of its own, after a line of three dashes")]
    [InlineData(Group + "---\nname: same\nrun: a\n---\nname: same\nrun: b\n", "f:7: two tasks are called same; rename one, because hosts are named after them")]
    [InlineData(Group + "---\nname: a_b\nrun: a\n---\nname: a-b\nrun: b\n", "f:7: the tasks a_b and a-b would both be called a-b; rename one")]
    [InlineData(Group + "---\nrun: a\n", "f:4: a task of a group needs a name; hosts are named after it")]
    [InlineData(Group + "primary_tasks: [trainr]\n---\nname: trainer\nrun: a\n", "f:3: primary_tasks names the task 'trainr', which is not there; did you mean 'trainer'?")]
    [InlineData(Group + "termination_delay: soon\n---\nname: a\nrun: a\n", "f:3: termination_delay must be a duration such as 30s or 5m, or durations by task such as {default: 30s}; got 'soon'")]
    [InlineData(Group + "termination_delay: {b: 3s}\n---\nname: a\nrun: a\n", "f:3: termination_delay names the task 'b', which is not there; did you mean 'a'?")]
    [InlineData("execution: parallel\n---\nname: a\nrun: a\n", "f:1: a job group needs a name; write e.g. name: train-eval")]
    [InlineData("name: p\n---\nname: a\nrun: a\n---\nname: b\nrun: b\n", "f:1: tasks one after another (execution: serial) are not supported; write execution: parallel for a group, or launch the tasks one by one")]
    [InlineData("name: g\nexecution: paralel\n---\nname: a\nrun: a\n", "f:2: execution must be parallel, not 'paralel'")]
    [InlineData("name: a\nrun: a\n---\nname: b\nrun: b\n", "f:1: several tasks need a first document that names their group: name: NAME and execution: parallel")]
    [InlineData(Group + "primary_task: [a]\n---\nname: a\nrun: a\n", "f:3: the first document of a job group has no key 'primary_task'; did you mean 'primary_tasks'?")]
    public void A_group_of_SkyPilot_is_read_strictly(string text, string sentence) => Only(text).ShouldBe(sentence);

    [Fact]
    public void All_errors_of_a_file_come_at_once_in_its_order() =>
        ManifestReader.Read("run: a\nnum_nodes: x\nresources: {gpus: ':', cpus: y}\n", "f").Errors.Select(error => error.Line).ShouldBe([2, 3, 3]);

    [Theory]
    [InlineData("name: x\nrun: [a\nb: c\n", 2)]
    [InlineData("name: x\nrun: a: b\n", 2)]
    [InlineData("name: x\n\trun: a\n", 2)]
    [InlineData("name: x\nrun: 'a\n", 3)]
    [InlineData("name: x\nenvs: {A: b\n", 3)]
    public void What_is_not_YAML_is_told_with_its_line(string text, int line)
    {
        var sentence = Only(text);
        sentence.ShouldStartWith($"f:{line}: this is not YAML");
        sentence.ShouldNotContain("\n");
    }

    private static string Only(string text)
    {
        var read = ManifestReader.Read(text, "f");
        read.Objects.ShouldBeEmpty();
        return read.Errors.ShouldHaveSingleItem().ToString();
    }
}
