using Trestle.Api.Manifests;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Tests.Manifests;

public sealed class PublishedFileTests
{
    // Letter by letter as published.
    private const string Published = """
        name: train-eval-group
        execution: parallel
        ---
        name: trainer
        resources:
          gpus: H100:8
        num_nodes: 4
        file_mounts:
          /s3/hai-research:
            source: s3://hai-research
            mode: MOUNT_CACHED
        run: |
          torchrun --nnodes $SKYPILOT_NUM_NODES ... train.py
        ---
        name: eval-watcher
        resources:
          cpus: 4  # CPU-only, no GPUs needed
        file_mounts:
          /checkpoints:
            name: shared-ckpts
            mode: MOUNT_CACHED
        run: |
          python watch_and_launch_eval.py --ckpt_dir /checkpoints

        """;

    [Fact]
    public void The_published_job_group_reads_whole()
    {
        var read = ManifestReader.Read(Published, "group.yaml");
        read.Errors.ShouldBeEmpty();
        ManifestWriter.Write(read.Objects).ShouldBe("""
            apiVersion: trestle.dev/v1alpha1
            kind: JobGroup
            metadata:
              name: train-eval-group
            spec:
              tasks:
              - name: trainer
                job:
                  nodes: 4
                  resources:
                    accelerators: H100:8
                  run: |
                    torchrun --nnodes $SKYPILOT_NUM_NODES ... train.py
                  mounts:
                  - path: /s3/hai-research
                    storage: hai-research
                    mode: MountCached
                  submitsJobs: true
              - name: eval-watcher
                job:
                  resources:
                    cpus: "4"
                  run: |
                    python watch_and_launch_eval.py --ckpt_dir /checkpoints
                  mounts:
                  - path: /checkpoints
                    storage: shared-ckpts
                    mode: MountCached
                  submitsJobs: true

            """);
        read.Storages.Select(storage => (storage.Metadata.Name, storage.Spec.S3!.Bucket)).ShouldBe([("hai-research", "hai-research"), ("shared-ckpts", "shared-ckpts")]);
    }

    [Fact]
    public void The_report_says_what_became_of_every_key_of_the_published_file() =>
        ManifestReader.Read(Published, "group.yaml").Report.Select(line => line.ToString()).ShouldBe([
            "group.yaml:1: mapped: no primary_tasks: all tasks are primary, so the group ends when all have ended",
            "group.yaml:2: mapped: execution: parallel → a JobGroup",
            "group.yaml:6: mapped: gpus → accelerators: H100:8",
            "group.yaml:7: mapped: num_nodes → nodes",
            "group.yaml:9: mapped: file_mounts /s3/hai-research → mounts: storage hai-research, mode MountCached",
            "group.yaml:12: mapped: run",
            "group.yaml:17: mapped: cpus → cpus: 4",
            "group.yaml:19: mapped: file_mounts /checkpoints → mounts: storage shared-ckpts, mode MountCached",
            "group.yaml:22: mapped: run",
        ]);

    [Theory]
    [InlineData("skypilot")]
    [InlineData("trestle")]
    public void Every_example_reads(string folder)
    {
        var files = Directory.GetFiles(Repository.Path("examples", folder), "*.yaml");
        files.ShouldNotBeEmpty();
        foreach (var file in files)
        {
            var read = ManifestReader.Read(File.ReadAllText(file), Path.GetFileName(file));
            read.Errors.ShouldBeEmpty();
            read.Objects.Count(item => item is TrainingJob or JobGroup).ShouldBe(1, file);
        }
    }

    [Fact]
    public void A_directory_beside_the_file_is_a_working_directory_of_jobs_and_services()
    {
        var read = ManifestReader.Read(File.ReadAllText(Repository.Path("examples", "online-rl", "group.yaml")), "f");
        var group = (JobGroup)read.Objects.Single();
        read.LocalWorkdirs.ShouldBe([(group.Spec.Tasks[0].Job!, "."), (group.Spec.Tasks[1].Service!, ".")]);
        ManifestReader.Read("apiVersion: trestle.dev/v1alpha1\nkind: TrainingJob\nmetadata: {name: a}\nspec: {run: a, workdir: 3}\n", "f").Errors.ShouldHaveSingleItem().ToString().ShouldContain("spec.workdir");
    }

    [Fact]
    public void The_example_group_ends_with_its_trainer_and_shares_one_checkpoint_store()
    {
        var read = ManifestReader.Read(File.ReadAllText(Repository.Path("examples", "skypilot", "train-eval-group.yaml")), "f");
        var group = (JobGroup)read.Objects.Single();
        group.Spec.Tasks.Select(task => (task.Name, task.Role)).ShouldBe([("trainer", TaskRole.Primary), ("eval-watcher", TaskRole.Auxiliary)]);
        group.Spec.Tasks.ShouldAllBe(task => task.Job!.Mounts!.Any(mount => mount.Storage == "shared-ckpts"));
        read.LocalWorkdirs.Select(local => local.Path).ShouldBe(["../train-eval", "../train-eval"]);
        read.LocalWorkdirs.Select(local => local.Spec).ShouldBe(group.Spec.Tasks.Select(task => (IHasWorkdir)task.Job!));
    }
}
