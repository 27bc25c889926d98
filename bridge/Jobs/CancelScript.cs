using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>Scripts that end a job, and that remove what is left of one.</summary>
internal static class CancelScript
{
    /// <summary>TERM to the steps; the batch script goes on.</summary>
    public static string TermSteps(string jobId) => $"scancel --signal=TERM {Checked(jobId)} < /dev/null\n";

    /// <summary>
    /// The end; secrets that the job has not read yet go as well. An id that Slurm does not know is no error: whether it left the queue is
    /// seen by the poller.
    /// </summary>
    public static string Cancel(string root, string key, string jobId) => $"scancel {Checked(jobId)} < /dev/null\nrm -f {root}/{ShellText.Quote(key)}/secrets\n";

    /// <summary>Removes an attempt's directory when it is that of the job with this uid; says done at the end.</summary>
    public static string Clean(string root, string key, string uid) =>
        $$"""
        dir={{root}}/{{ShellText.Quote(key)}}
        uid=
        [ ! -d "$dir" ] || read -r uid 2> /dev/null < "$dir/uid"
        if [ -d "$dir" ] && { [ -z "$uid" ] || [ "$uid" = {{ShellText.Quote(uid)}} ]; }; then rm -rf "$dir" || exit 1; fi
        echo done

        """;

    private static string Checked(string jobId) => JobId.IsValid(jobId) ? jobId : throw new ArgumentException($"'{jobId}' is no job id", nameof(jobId));
}
