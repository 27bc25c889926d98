using System.Globalization;
using Trestle.Api.V1Alpha1;

namespace Trestle.Bridge.Slurm;

/// <summary>Name of an attempt in Slurm and of its directory: the first 8 letters of the job's uid and the number of the attempt.</summary>
internal static class AttemptKey
{
    private const int UidLetters = 8;

    /// <summary>The key; null when the uid has no 8 letters or digits at its beginning.</summary>
    public static string? Of(SlurmJobSpec spec) =>
        spec is { Attempt: > 0, JobUid.Length: >= UidLetters } && spec.JobUid[..UidLetters].All(char.IsAsciiLetterOrDigit)
            ? string.Create(CultureInfo.InvariantCulture, $"{spec.JobUid[..UidLetters]}-a{spec.Attempt}")
            : null;
}
