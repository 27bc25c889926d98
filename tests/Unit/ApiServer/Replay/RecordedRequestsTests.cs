using System.Text.RegularExpressions;

namespace Trestle.Local.ApiServer.Tests;

public sealed class RecordedRequestsTests(ReplayedRequests replayed) : IClassFixture<ReplayedRequests>
{
    public static TheoryData<string> Names => [.. Recording.All.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Answers_as_a_real_server_did(string name)
    {
        var recording = Recording.Find(name);
        var ours = replayed.Results[name];
        var theirText = name == "117-watch-pod-delete" ? WithoutLastWord(recording.Answer) : recording.Answer;
        if (name == "014-openapi-v3-group") CompareOperations(ours.Text, recording.Answer);
        else LineDiff.Of(Comparison.Normalize(name, theirText), Comparison.Normalize(name, ours.Text)).ShouldBeEmpty("lines with - are missing, with + are too many");
        ours.Status.ShouldBe(recording.Status);
        if (name == "117-watch-pod-delete") return; // read as it came, headers and all
        // We send OpenAPI's index as JSON; a real server calls it text.
        if (name != "013-openapi-v3-index") ours.Headers.GetValueOrDefault("Content-Type")?.Replace("; g=", ";g=").Replace("; v=", ";v=").Replace("; as=", ";as=").ShouldBe(recording.AnswerHeaders.GetValueOrDefault("Content-Type"));
        ours.Headers.GetValueOrDefault("Warning").ShouldBe(recording.AnswerHeaders.GetValueOrDefault("Warning"));
    }

    // The recorded document was cut off, and ours lists only the parameters kubectl looks for: the operations must be the same.
    private static void CompareOperations(string ours, string theirs)
    {
        static string[] Of(string text) => [.. Regex.Matches(text, "\"x-kubernetes-action\":\\s*\"([a-z]+)\"|\"(/apis/[^\"]+)\":").Select(m => m.Groups[1].Value + m.Groups[2].Value)];
        var recorded = Of(theirs).Except(["/apis/trestle.dev/v1alpha1/namespaces/{namespace}/trainingjobs/{name}/scale"]).ToArray();
        recorded.Length.ShouldBeGreaterThan(5);
        recorded.Except(Of(ours)).ShouldBeEmpty();
    }

    private static string WithoutLastWord(string answer) =>
        string.Join('\n', Recording.ParseMany(answer).Where(line => !Exceptions.IsLastWord(line)).Select(line => line.ToJsonString()));
}
