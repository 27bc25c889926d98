using Trestle.Cli.Connection;

namespace Trestle.Cli.Output;

/// <summary>--watch: the same picture again and again; on a terminal in place, in a pipe only when it changed.</summary>
internal static class WatchLoop
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <param name="host">Where to write.</param>
    /// <param name="draw">Reads the cluster and writes one picture to the host it is given.</param>
    /// <param name="cancellation">Ctrl-C ends it.</param>
    public static async Task<int> RunAsync(CliHost host, Func<CliHost, Task> draw, CancellationToken cancellation)
    {
        var last = "";
        var away = false;
        while (true)
        {
            var picture = new StringWriter { NewLine = "\n" };
            try
            {
                await draw(host with { Out = picture, Error = picture });
                away = false;
                Show(host, picture.ToString(), ref last);
            }
            catch (Exception error) when (last.Length > 0 && ErrorTranslation.IsPassing(error))
            {
                if (!away)
                {
                    await host.Error.WriteLineAsync("trestle: the Kubernetes API is away; watching goes on when it is back");
                }

                away = true;
            }

            await Task.Delay(Interval, host.Time, cancellation);
        }
    }

    private static void Show(CliHost host, string picture, ref string last)
    {
        if (host.IsTerminal)
        {
            // Home, each line cleared to its end, then everything below: no flicker.
            host.Out.Write((last.Length == 0 ? "\u001b[2J" : "") + "\u001b[H" + picture.Replace("\n", "\u001b[K\n", StringComparison.Ordinal) + "\u001b[J");
        }
        else if (picture != last)
        {
            host.Out.Write(last.Length == 0 ? picture : "\n" + picture);
        }

        last = picture;
    }
}
