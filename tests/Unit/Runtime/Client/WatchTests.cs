using System.Collections.Concurrent;
using System.Text.Json;
using CsCheck;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests.Client;

public sealed class WatchTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_are_read_however_they_are_cut_into_chunks()
    {
        var body = Event("ADDED", "ä", 5) + "\n" + Event("MODIFIED", "b", 6) + Bookmark(9) + Event("NEWS", "of a later version", 10) + Event("DELETED", "c", 11);
        await using var server = await ScriptedServer.StartAsync();
        await Gen.Int[1, body.Length - 1].Array[0, 12].SampleAsync(
            async cuts =>
            {
                var edges = cuts.Append(0).Append(body.Length).Distinct().Order().ToList();
                server.Answer = context => context.ChunksAsync(edges.Zip(edges.Skip(1), (from, to) => body[from..to]));
                (await ReadAsync(server)).ShouldBe(["Added ä 5", "Modified b 6", "Bookmark  9", "Deleted c 11"]);
            },
            iter: 50,
            threads: 1);
        var query = server.Requests.First().Query;
        (query["watch"].ToString(), query["resourceVersion"].ToString(), query["allowWatchBookmarks"].ToString(), query["labelSelector"].ToString()).ShouldBe(("1", "4", "true", "a=b"));
    }

    [Fact]
    public async Task An_event_larger_than_a_buffer_is_whole()
    {
        var name = new string('x', 300_000);
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.ChunksAsync(Event("ADDED", name, 5));
        (await ReadAsync(server)).ShouldBe([$"Added {name} 5"]);
    }

    [Fact]
    public async Task An_event_is_told_when_it_comes_and_not_when_the_watch_ends()
    {
        var end = new TaskCompletionSource();
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = async context =>
        {
            await context.ChunksAsync(Event("ADDED", "a", 5));
            await end.Task;
        };
        await foreach (var change in server.Api.WatchAsync<V1Pod>(Selection.All, "4", Ct))
        {
            change.Object!.Metadata.Name.ShouldBe("a");
            end.SetResult();
        }
    }

    [Fact]
    public async Task An_idle_watch_that_the_server_closes_ends_quietly()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = async context =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.StartAsync();
        };
        (await ReadAsync(server)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_last_event_that_was_cut_off_is_left_for_the_next_watch()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.ChunksAsync(Event("ADDED", "a", 5), Event("ADDED", "b", 6)[..30]);
        (await ReadAsync(server)).ShouldBe(["Added a 5"]);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_an_error_of_the_connection()
    {
        var read = new TaskCompletionSource();
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = async context =>
        {
            await context.ChunksAsync(Event("ADDED", "a", 5));
            await read.Task;
            context.Abort();
        };
        await using var watch = server.Api.WatchAsync<V1Pod>(Selection.All, "4", Ct).GetAsyncEnumerator(Ct);
        (await watch.MoveNextAsync()).ShouldBeTrue();
        read.SetResult();
        (await Should.ThrowAsync<Exception>(async () => await watch.MoveNextAsync())).ShouldBeAssignableTo<IOException>();
    }

    [Fact]
    public async Task A_server_that_takes_the_request_and_keeps_silent_is_given_up_after_half_a_minute()
    {
        var taken = new SemaphoreSlim(0);
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context =>
        {
            taken.Release();
            return Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        foreach (var request in (Func<Task>[])[() => ReadAsync(server), () => server.Api.FindAsync<V1Pod>(new ObjectKey("default", "a"), Ct)])
        {
            var asked = request();
            await taken.WaitAsync(Ct);
            asked.IsCompleted.ShouldBeFalse();
            server.Time.Advance(TimeSpan.FromSeconds(31));
            (await Should.ThrowAsync<HttpRequestException>(asked)).Message.ShouldEndWith("within 30 s");
        }
    }

    [Fact]
    public async Task A_version_that_is_too_old_is_gone_as_an_answer_or_as_an_event()
    {
        const string Status = """{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 2 (688)","reason":"Expired","code":410}""";
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.ChunksAsync($$"""{"type":"ERROR","object":{{Status}}}""" + "\n");
        (await Should.ThrowAsync<KubeApiException>(ReadAsync(server))).IsGone.ShouldBeTrue();
        server.Answer = context => context.JsonAsync(410, Status);
        (await Should.ThrowAsync<KubeApiException>(ReadAsync(server))).IsGone.ShouldBeTrue();
    }

    [Theory]
    [InlineData("nonsense\n")]
    [InlineData("{\"type\":\"ADDED\"}\n")]
    [InlineData("{\"object\":{\"metadata\":{\"name\":\"a\"}},\"type\":\"ADDED\"}\n")]
    public async Task What_is_no_event_is_never_passed_over(string line)
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.ChunksAsync(line);
        await Should.ThrowAsync<JsonException>(ReadAsync(server));
    }

    [Fact]
    public async Task Nothing_is_told_as_deleted_before_the_last_page_of_a_new_list()
    {
        await using var server = await ScriptedServer.StartAsync();
        var time = new FakeTimeProvider();
        var told = new ConcurrentQueue<string>();
        var pods = new Informer<V1Pod>(server.Api, Selection.All, time, new CollectedLog());
        pods.Changed += (old, now) => told.Enqueue((now is null ? "-" : "+") + (now ?? old)!.Metadata.Name);
        var (lists, lastPageIsThere, watches) = (0, false, 0);
        server.Answer = context => context.Request.Query switch
        {
            var query when query["watch"] == "1" => Interlocked.Increment(ref watches) == 1 ? context.JsonAsync(410, """{"reason":"Expired","message":"too old"}""") : Task.Delay(Timeout.Infinite, context.RequestAborted),
            var query when query["continue"] == "2" => lastPageIsThere ? context.JsonAsync(200, List(9, "", "c")) : context.JsonAsync(410, """{"reason":"Expired","message":"the continue token is too old"}"""),
            _ => context.JsonAsync(200, Interlocked.Increment(ref lists) == 1 ? List(5, "", "a", "b", "c") : List(9, "2", "a")),
        };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var running = pods.RunAsync(stop.Token);
        await time.UntilAsync(() => lists >= 4);
        told.ShouldBe(["+a", "+b", "+c"]);
        lastPageIsThere = true;
        await time.UntilAsync(() => watches >= 2);
        told.ShouldBe(["+a", "+b", "+c", "-b"]);
        await stop.CancelAsync();
        await running;
    }

    private static string Event(string type, string name, int version) =>
        $$"""{"type":"{{type}}","object":{"kind":"Pod","apiVersion":"v1","metadata":{{Meta(name, version)}} } }""" + "\n";

    private static string Bookmark(int version) =>
        $$"""{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"{{version}}","creationTimestamp":null},"spec":{"containers":null} } }""" + "\n";

    private static string List(int version, string next, params string[] names)
    {
        var items = names.Select(name => $$"""{"metadata":{{Meta(name, 1)}} }""");
        return $$"""{"metadata":{"resourceVersion":"{{version}}","continue":"{{next}}"},"items":[{{string.Join(',', items)}}]}""";
    }

    private static string Meta(string name, int version) => $$"""{"name":"{{name}}","resourceVersion":"{{version}}"}""";

    private static async Task<List<string>> ReadAsync(ScriptedServer server)
    {
        var read = new List<string>();
        await foreach (var change in server.Api.WatchAsync<V1Pod>(new Selection(Labels: "a=b"), "4", Ct)) read.Add($"{change.Type} {change.Object?.Metadata.Name} {change.ResourceVersion}");
        return read;
    }
}
