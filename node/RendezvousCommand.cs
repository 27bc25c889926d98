namespace Trestle.Node;

/// <summary>Waits until the operator knows all ranks and writes the environment of this one.</summary>
internal static class RendezvousCommand
{
    public const string Usage = "trestle-node rendezvous --url URL --token-file FILE --out FILE";

    /// <summary>0: written; 1: there will be no answer; 2: wrong arguments.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TimeProvider time, TextWriter errors, CancellationToken ct)
    {
        if (Options.Read(arguments, "--url", "--token-file", "--out") is not { } given || Options.Url(given["--url"]) is not { } url)
        {
            await errors.WriteLineAsync("usage: " + Usage);
            return 2;
        }

        var (tokenFile, target) = (given["--token-file"], given["--out"]);
        try
        {
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            var environment = await new RendezvousClient(http, time, errors).AskAsync(url, tokenFile, ct);
            await WriteWholeAsync(target, environment, ct);
            return 0;
        }
        catch (RendezvousRefusedException refused)
        {
            await errors.WriteLineAsync($"trestle: {refused.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            await errors.WriteLineAsync($"trestle: can't read {tokenFile} or write {target}: {error.Message}");
        }

        return 1;
    }

    // Whoever sources it sees all of it or nothing.
    private static async Task WriteWholeAsync(string target, string text, CancellationToken ct)
    {
        await File.WriteAllTextAsync(target + ".tmp", text, ct);
        File.Move(target + ".tmp", target, overwrite: true);
    }
}
