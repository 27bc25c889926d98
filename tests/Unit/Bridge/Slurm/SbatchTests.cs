using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Tests.Slurm;

public sealed class SbatchTests
{
    [Theory]
    [InlineData("sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified\n", "Refused")]
    [InlineData("sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified", "Refused")]
    [InlineData("sbatch: error: Batch job submission failed: Requested node configuration is not available", "Refused")]
    [InlineData("sbatch: error: Batch job submission failed: Invalid qos specification", "Refused")]
    [InlineData("sbatch: unrecognized option '--frob'\nTry \"sbatch --help\" for more information", "Refused")]
    [InlineData("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", "Ambiguous")]
    [InlineData("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", "Ambiguous")]
    [InlineData("sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received", "Ambiguous")]
    [InlineData("", "Ambiguous")]
    [InlineData("Segmentation fault", "Ambiguous")]
    [InlineData("sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", "Busy")]
    public void What_an_error_means_is_known_or_ambiguous(string text, string fate) => SbatchFailure.FateOf(text).ToString().ShouldBe(fate);

    [Fact]
    public void Errors_of_a_controller_that_is_away_are_ambiguous_as_recorded() =>
        Samples.Lines("22.05", "failures.txt").Where(line => line.Contains("sbatch --parsable", StringComparison.Ordinal) && line.Contains("rc=1", StringComparison.Ordinal))
            .ShouldSatisfyAllConditions(lines => lines.Count().ShouldBe(2), lines => lines.ShouldAllBe(line => SbatchFailure.FateOf(line) == SubmissionFate.Ambiguous));

    [Fact]
    public void The_sentence_is_what_was_said_last() =>
        SbatchFailure.Sentence("sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified\n").ShouldBe("Invalid partition name specified");

    [Fact]
    public void An_estimate_is_read()
    {
        StartEstimate.Read("sbatch: Job 6 to start at 2026-11-26T22:05:41 using 2 processors on nodes gpu[1-2] in partition gpu\n")
            .ShouldBe(new StartEstimate(new DateTimeOffset(2026, 11, 26, 22, 5, 41, TimeSpan.Zero), "gpu[1-2]", null));
        StartEstimate.Read("sbatch: error: invalid partition specified: nope\nallocation failure: Invalid partition name specified\n")!.Refusal.ShouldBe("Invalid partition name specified");
        StartEstimate.Read("sbatch: error: Unable to contact slurm controller (connect failure)\nallocation failure: Unable to contact slurm controller (connect failure)\n").ShouldBeNull("says nothing about the job");
    }

    [Theory]
    [InlineData("--partition=gpu")]
    [InlineData("--gres=gpu:h100:8")]
    [InlineData("--signal=B:TERM@120")]
    [InlineData("--exclusive")]
    [InlineData("--comment=it's \"ok\" $HOME `x`")]
    public void Options_of_a_job_are_taken(string option) => SbatchOptions.Refusal([option]).ShouldBeNull();

    [Theory]
    [InlineData("--wrap=id")]
    [InlineData("--export=ALL")]
    [InlineData("--uid=0")]
    [InlineData("--job-name=x")]
    [InlineData("--dependency=afterok:1")]
    [InlineData("--output=/etc/passwd")]
    [InlineData("--chdir=/")]
    [InlineData("--clusters=other")]
    [InlineData("-p gpu")]
    [InlineData("--partition")]
    [InlineData("--partition=")]
    [InlineData("--exclusive=\n--wrap=id")]
    [InlineData("--comment=a\0b")]
    [InlineData(":")]
    [InlineData("")]
    public void Other_options_are_refused(string option) => SbatchOptions.Refusal(["--nodes=1", option]).ShouldNotBeNull();

    [Theory]
    [InlineData(null, "\"$HOME\"/.trestle")]
    [InlineData("~/x/y", "\"$HOME\"/x/y")]
    [InlineData("/scratch/team-1/t", "/scratch/team-1/t")]
    [InlineData("/a b", null)]
    [InlineData("/a/../b", null)]
    [InlineData("relative", null)]
    [InlineData("/a%j", null)]
    [InlineData("/a;id", null)]
    [InlineData("/$(id)", null)]
    [InlineData("/", null)]
    public void A_work_root_is_a_plain_path(string? text, string? word) => WorkRoot.Word(text).ShouldBe(word);

    [Theory]
    [InlineData("0123456789abcdef", 3, "01234567-a3")]
    [InlineData("abc", 1, null)]
    [InlineData("abcd'fgh", 1, null)]
    [InlineData("abcdefgh", 0, null)]
    public void The_key_of_an_attempt_is_8_letters_and_a_number(string uid, int attempt, string? key) => AttemptKey.Of(new SlurmJobSpec { JobUid = uid, Attempt = attempt }).ShouldBe(key);
}
