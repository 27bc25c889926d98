using System.Net;
using System.Net.Http.Headers;

namespace Trestle.Node;

/// <summary>There will be no answer, however often one asks.</summary>
internal sealed class RendezvousRefusedException(string message) : Exception(message);

/// <summary>Asks the operator until it answers; an operator that is away or restarting is waited for.</summary>
internal sealed class RendezvousClient(HttpClient http, TimeProvider time, TextWriter log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // The server answers within 25 s; past this the connection is dead and nobody told us.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(40);

    /// <summary>The environment as POSIX export lines.</summary>
    /// <exception cref="RendezvousRefusedException">The server refuses this rank or its attempt is over.</exception>
    /// <exception cref="IOException">The token can't be read.</exception>
    public async Task<string> AskAsync(Uri url, string tokenFile, CancellationToken ct)
    {
        var pause = FirstPause;
        while (true)
        {
            string trouble;
            try
            {
                var (status, body) = await AskOnceAsync(url, tokenFile, ct);
                if (status == HttpStatusCode.OK) return body;
                if (status is HttpStatusCode.Forbidden or HttpStatusCode.Gone) throw new RendezvousRefusedException($"the operator refuses this rank: {body}");
                if (status == HttpStatusCode.NoContent)
                {
                    pause = FirstPause;
                    continue;
                }

                trouble = $"it answered {(int)status}";
            }
            catch (HttpRequestException error)
            {
                trouble = error.Message;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                trouble = "it did not answer in time";
            }

            if (pause == FirstPause) await log.WriteLineAsync($"trestle: waiting for the operator at {url.GetLeftPart(UriPartial.Authority)} ({trouble})");
            await Task.Delay(pause, time, ct);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<(HttpStatusCode Status, string Body)> AskOnceAsync(Uri url, string tokenFile, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Silence, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(tokenFile, either.Token)).Trim());
        using var answer = await http.SendAsync(request, either.Token);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(either.Token));
    }
}
