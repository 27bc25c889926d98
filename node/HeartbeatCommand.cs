using System.Globalization;
using System.Net.Http.Headers;
using Trestle.Api.V1Alpha1;

namespace Trestle.Node;

/// <summary>Tells the operator, as long as it runs, how long its rank has shown no sign of life.</summary>
internal static class HeartbeatCommand
{
    public const string Usage = "trestle-node heartbeat --url URL --token-file FILE --run DIRECTORY --every DURATION";

    // A heartbeat that takes longer is lost; the next one says more.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>0: told to end; 2: wrong arguments.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TimeProvider time, TextWriter errors, CancellationToken ct)
    {
        if (Options.Read(arguments, "--url", "--token-file", "--run", "--every") is not { } given || Options.Url(given["--url"]) is not { } url || !Duration.TryParse(given["--every"], out var every) || every <= TimeSpan.Zero)
        {
            await errors.WriteLineAsync("usage: " + Usage);
            return 2;
        }

        using var http = new HttpClient { Timeout = Patience };
        var signs = new SignsOfLife(given["--run"], time);
        string? trouble = null;
        using var timer = new PeriodicTimer(every, time);
        do
        {
            var now = await TellAsync(http, url, given["--token-file"], signs, ct);
            if (now is not null && now != trouble) await errors.WriteLineAsync($"trestle: can't tell the operator at {url.GetLeftPart(UriPartial.Authority)} that this rank lives ({now}); it goes on");
            trouble = now;
        }
        while (await NextAsync(timer, ct));
        return 0;
    }

    // Whatever is wrong is the operator's or the network's business, and none of the rank's.
    private static async Task<string?> TellAsync(HttpClient http, Uri url, string tokenFile, SignsOfLife signs, CancellationToken ct)
    {
        try
        {
            signs.Look();
            var untouched = signs.Untouched is { } time ? "&untouched=" + Seconds(time) : "";
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{url.AbsoluteUri}?silent={Seconds(signs.Silent)}{untouched}"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(tokenFile, ct)).Trim());
            using var answer = await http.SendAsync(request, ct);
            return answer.IsSuccessStatusCode ? null : $"it answered {(int)answer.StatusCode}";
        }
        catch (Exception error) when (error is HttpRequestException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            return ct.IsCancellationRequested ? null : error.Message;
        }
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try
        {
            return await timer.WaitForNextTickAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
}
