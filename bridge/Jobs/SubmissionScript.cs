using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>One remote script for many attempts, and how its answer is read. What it does may be done again at any time.</summary>
internal static class SubmissionScript
{
    private static readonly string Functions = Resource("submit.sh");
    private static readonly string Guard = Resource("guard.sh");
    private static readonly string GuardName = $"guard-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Guard)))[..12]}.sh";

    /// <summary>The script.</summary>
    /// <param name="requests">The attempts; their places in the list are their names in the answer.</param>
    /// <param name="root">Where attempt directories are, as a word of a script.</param>
    /// <param name="mark">Begins each line of the answer.</param>
    public static string Build(IReadOnlyList<SubmissionRequest> requests, string root, Separator mark)
    {
        var script = new StringBuilder();
        script.Append(CultureInfo.InvariantCulture, $"mark='{mark.Text}'\nroot={root}\nguard=\"$root/{GuardName}\"\nnames='{string.Join(',', requests.Select(request => request.Key))}'\n{Functions}");
        if (requests.Any(request => request.Wish == SubmissionWish.Submit))
        {
            script.Append("mkdir -p \"$root\"\n[ -s \"$guard\" ] || {\n");
            script.Append(CultureInfo.InvariantCulture, $"printf '%s' {ShellText.Quote(Guard)} > \"$guard.$$\"\n");
            script.Append("mv -f \"$guard.$$\" \"$guard\"\n}\n");
        }

        for (var index = 0; index < requests.Count; index++) Append(script, index, requests[index]);
        return script.Append("say end\n").ToString();
    }

    /// <summary>The answers, in the order of the requests.</summary>
    public static IReadOnlyList<SubmissionAnswer> Read(ReadOnlyMemory<byte> output, Separator mark, int count)
    {
        var answers = new SubmissionAnswer[count];
        Array.Fill(answers, new NotHeard("the login node's answer is not whole"));
        foreach (var line in Encoding.UTF8.GetString(output.Span).Split('\n'))
        {
            var words = line.Split(' ', 4);
            if (words.Length < 3 || words[0] != mark.Text || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= count) continue;
            if (Answer(words[2], words.Length > 3 ? words[3] : "") is { } answer) answers[index] = answer;
        }

        return answers;
    }

    private static SubmissionAnswer? Answer(string verdict, string rest) => verdict switch
    {
        "job" => JobId.IsValid(rest) ? new Submitted(rest) : null,
        "doubt" when rest.Split(' ') is [var last, var queue, var accounting] => new InDoubt(Number(last), queue == "0" && accounting == "0"),
        "error" when rest.Split(' ', 4) is [var last, var queue, var accounting, var text] => new SbatchFailed(Number(last), queue == "0" && accounting == "0", text.Replace('\v', '\n')),
        "blocked" => new Blocked(Printable.Text(rest, 300)),
        "foreign" => new Foreign(),
        "closed" or "never" => new NeverSubmitted(),
        _ => null,
    };

    private static void Append(StringBuilder script, int index, SubmissionRequest request)
    {
        var place = index.ToString(CultureInfo.InvariantCulture);
        var attempt = $"{place} {ShellText.Quote(request.Key)} {ShellText.Quote(request.Uid)}";
        if (request.Wish == SubmissionWish.Close)
        {
            script.Append(CultureInfo.InvariantCulture, $"close {attempt}\n");
            return;
        }

        script.Append(CultureInfo.InvariantCulture, $"if claim {attempt} {request.Try} '{(request.IsFirst ? "" : "again")}'; then\n");
        script.Append(CultureInfo.InvariantCulture, $"put job {ShellText.Quote(request.Script)}\n");
        if (request.Secrets is { } secrets) script.Append(CultureInfo.InvariantCulture, $"put secrets {ShellText.Quote(secrets)}\n");
        var options = string.Concat(request.Options.Select(option => " " + ShellText.Quote(option)));
        script.Append(CultureInfo.InvariantCulture, $"if ready {place} {request.Try}; then send {place} {request.Try}{options}; fi\nfi\n");
    }

    // Anything that is no number counts as the first try: the next look at it is one more, never one less.
    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : 1;

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(SubmissionScript).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
