using CsCheck;
using k8s;
using k8s.Models;
using Trestle.Api.Manifests;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Tests.Manifests;

public sealed class RoundTripTests
{
    private static readonly Gen<string> Words = Gen.OneOf(
        Gen.OneOf("x", "yes", "null", "~", "1", "1.50", "0x1f", "- a", "a: b", "# c", "'", "\"q\"", "a\nb\n", "\n\n", " a\n", "a\n\n", "\t", "é ü 漢", "2026-01-01", "true", "*a", "%", "a\\nb", "{", "trailing "),
        Gen.String[Gen.Char[' ', '\u024f'], 1, 40]).Where(text => !string.IsNullOrWhiteSpace(text));

    private static readonly Gen<string> Script = Words.Where(text => !text.Any(letter => char.IsControl(letter) && letter is not ('\n' or '\t')));

    private static readonly Gen<TrainingJobSpec> Specs =
        from run in Script
        from setup in Script.Null()
        from nodes in Gen.Int[1, 10000].Nullable()
        from env in Gen.Select(Gen.String[Gen.Char['A', 'Z'], 1, 8], Words).Array[0, 4]
        from gpus in Gen.Int[1, 16].Nullable()
        from codes in Gen.Int[1, 255].List[0, 3]
        from suspend in Gen.Bool.Nullable()
        select new TrainingJobSpec
        {
            Run = run,
            Setup = setup,
            Nodes = nodes,
            Env = [.. env.DistinctBy(pair => pair.Item1).Select(pair => new EnvVar { Name = pair.Item1, Value = pair.Item2 })],
            Resources = gpus is { } count ? new Resources { Accelerators = $"H100:{count}", Cpus = "4", Extended = new Dictionary<string, string> { ["rdma/hca"] = "8" } } : null,
            Recovery = new Recovery { RecoverOnExitCodes = codes, Backoff = new Backoff { Initial = "1s" } },
            Mounts = [new StorageMount { Path = "/c", Storage = "s", Mode = MountMode.MountCached }],
            Suspend = suspend,
            PodTemplate = new() { ["spec"] = new System.Text.Json.Nodes.JsonObject { ["note"] = run, ["number"] = nodes } },
        };

    private static readonly Gen<IKubernetesObject<V1ObjectMeta>> Objects = Gen.OneOf(
        Specs.Select(spec => (IKubernetesObject<V1ObjectMeta>)new TrainingJob { Metadata = Named("job"), Spec = spec }),
        Gen.Select(Specs, Specs).Select((one, two) => (IKubernetesObject<V1ObjectMeta>)new JobGroup
        {
            Metadata = Named("group"),
            Spec = new JobGroupSpec
            {
                Tasks = [new JobGroupTask { Name = "a", Role = TaskRole.Primary, Job = one }, new JobGroupTask { Name = "b", Job = two }],
                TerminationDelay = TerminationDelay.Of("30s"),
            },
        }),
        Words.Select(value => (IKubernetesObject<V1ObjectMeta>)new V1Secret { Metadata = Named("secret"), StringData = new Dictionary<string, string> { ["k"] = value } }),
        Words.Select(value => (IKubernetesObject<V1ObjectMeta>)new V1ConfigMap { Metadata = Named("map"), Data = new Dictionary<string, string> { ["train.py"] = value } }),
        Gen.Const((IKubernetesObject<V1ObjectMeta>)new Storage { Metadata = Named("s"), Spec = new StorageSpec { S3 = new S3Storage { Bucket = "b" } } }));

    [Fact]
    public void What_is_written_reads_back_the_same() => Objects.Array[1, 4].Sample(objects =>
    {
        var written = ManifestWriter.Write(objects);
        var read = ManifestReader.Read(written, "f");
        read.Errors.ShouldBeEmpty();
        read.Objects.Select(item => item.GetType()).ShouldBe(objects.Select(item => item.GetType()));
        ManifestWriter.Write(read.Objects).ShouldBe(written);
        foreach (var (before, after) in objects.OfType<TrainingJob>().Zip(read.Objects.OfType<TrainingJob>()))
        {
            (after.Spec.Run, after.Spec.Setup, after.Spec.Nodes, after.Spec.Suspend).ShouldBe((before.Spec.Run, before.Spec.Setup, before.Spec.Nodes, before.Spec.Suspend));
            after.Spec.Env!.Select(variable => variable.Value).ShouldBe(before.Spec.Env!.Select(variable => variable.Value));
        }
    }, iter: 500);

    private static V1ObjectMeta Named(string name) => new() { Name = name, Labels = new Dictionary<string, string> { ["team"] = "on" } };
}
