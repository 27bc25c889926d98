namespace Trestle.Node;

/// <summary>Waits until the operator knows all ranks and writes the environment of this one.</summary>
internal static class RendezvousCommand
{
    public const string Usage = "trestle-node rendezvous --url URL --token-file FILE --out FILE";

    /// <summary>0: written; 1: there will be no answer; 2: wrong arguments.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TimeProvider time, TextWriter errors, CancellationToken ct)
    {
        if (!TryRead(arguments, out var url, out var tokenFile, out var target))
        {
            await errors.WriteLineAsync("usage: " + Usage);
            return 2;
        }

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

    private static bool TryRead(IReadOnlyList<string> arguments, out Uri url, out string tokenFile, out string target)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var at = 0; at + 1 < arguments.Count; at += 2) given[arguments[at]] = arguments[at + 1];
        (tokenFile, target) = (given.GetValueOrDefault("--token-file", ""), given.GetValueOrDefault("--out", ""));
        return Uri.TryCreate(given.GetValueOrDefault("--url", ""), UriKind.Absolute, out url!) && url.Scheme is "http" or "https"
            && arguments.Count == 6 && tokenFile.Length > 0 && target.Length > 0;
    }

    // Whoever sources it sees all of it or nothing.
    private static async Task WriteWholeAsync(string target, string text, CancellationToken ct)
    {
        await File.WriteAllTextAsync(target + ".tmp", text, ct);
        File.Move(target + ".tmp", target, overwrite: true);
    }
}
