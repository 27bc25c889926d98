using System.Text;
using CsCheck;
using Trestle.Api.Manifests;

namespace Trestle.Api.Tests.Manifests;

/// <summary>Whatever the text is: an answer, in bounded time, never an exception, never nothing.</summary>
public sealed class HostileTextTests
{
    private static readonly string[] Seeds =
    [
        .. Directory.GetFiles(Repository.Path("examples", "trestle"), "*.yaml").Concat(Directory.GetFiles(Repository.Path("examples", "skypilot"), "*.yaml")).Order(StringComparer.Ordinal).Select(File.ReadAllText),
        "name: a\nrun: |\n  x\nresources: {gpus: H100:8, cpus: 4+, memory: 32, any_of: [{infra: k8s}], job_recovery: {max_restarts_on_errors: 3}}\nenvs: {A: 1}\nsecrets: {B: c}\nconfig: {kubernetes: {pod_config: {}}}\n",
    ];

    private static readonly string[] Pieces =
        ["\n", ": ", "- ", "---\n", "{", "}", "[", "]", "&a ", "*a ", "<<: ", "!!binary ", "!!str ", "|", ">", "'", "\"", "\t", "\0", "#", "null", "~", "1e999", "? ", "%", "@", "\u2028", "\ud800", "name", "  ", "s3://", "\\x"];

    [Fact]
    public void A_changed_manifest_gets_objects_or_errors()
    {
        var change = Gen.Select(Gen.Double[0, 1], Gen.OneOf(Pieces), Gen.Int[0, 12]);
        Gen.Select(Gen.OneOf(Seeds), change.Array[1, 6]).Sample((seed, changes) =>
        {
            var text = new StringBuilder(seed);
            foreach (var (place, piece, removed) in changes)
            {
                var at = (int)(place * text.Length);
                text.Remove(at, Math.Min(removed, text.Length - at)).Insert(at, piece);
            }

            ShouldAnswer(text.ToString());
        }, iter: 3000);
    }

    [Fact]
    public void Any_text_gets_objects_or_errors() => Gen.String.Sample(ShouldAnswer, iter: 2000);

    [Fact]
    public void A_few_lines_of_aliases_can_not_become_billions_of_values()
    {
        var text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var level = 1; level < 20; level++)
        {
            text.Append($"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]\n");
        }

        ManifestReader.Read(text.ToString(), "f").Errors.Single().Sentence.ShouldBe("this holds more than 200000 values; split it");
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    public void Endless_nesting_is_refused(string open) => ManifestReader.Read(string.Concat(Enumerable.Repeat(open, 5000)), "f").Errors.ShouldNotBeEmpty();

    [Fact]
    public void A_file_of_unknown_keys_does_not_answer_with_a_sentence_for_each() =>
        ManifestReader.Read(string.Concat(Enumerable.Range(0, 5000).Select(key => $"k{key}: 1\n")), "f").Errors.Count.ShouldBe(50);

    private static void ShouldAnswer(string text)
    {
        var read = ManifestReader.Read(text, "f");
        (read.Objects.Count > 0).ShouldBe(read.Errors.Count == 0);
        read.Errors.ShouldAllBe(error => error.Sentence.Length > 0 && !error.Sentence.Contains('\n'));
        if (read.Errors.Count == 0)
        {
            ManifestWriter.Write(read.Objects).ShouldNotBeEmpty();
        }
    }
}
