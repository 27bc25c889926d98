using System.Runtime.CompilerServices;

namespace Trestle.Cli.Logs;

/// <summary>Several logs as one, in order of time; each log keeps its own order whatever its stamps say.</summary>
internal static class LogMerge
{
    public static async IAsyncEnumerable<(int Source, LogLine Line)> InOrderAsync(
        IReadOnlyList<IAsyncEnumerable<LogLine>> logs, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var readers = logs.Select(log => log.GetAsyncEnumerator(cancellation)).ToArray();
        try
        {
            var heads = new PriorityQueue<int, (string Order, int Source)>();
            for (var source = 0; source < readers.Length; source++)
            {
                await EnqueueAsync(heads, readers, source, "");
            }

            while (heads.TryDequeue(out var source, out var at))
            {
                yield return (source, readers[source].Current);
                await EnqueueAsync(heads, readers, source, at.Order);
            }
        }
        finally
        {
            foreach (var reader in readers)
            {
                await reader.DisposeAsync();
            }
        }
    }

    private static async Task EnqueueAsync(
        PriorityQueue<int, (string Order, int Source)> heads, IAsyncEnumerator<LogLine>[] readers, int source, string notBefore)
    {
        if (await readers[source].MoveNextAsync())
        {
            var order = readers[source].Current.Order;
            heads.Enqueue(source, (string.CompareOrdinal(order, notBefore) < 0 ? notBefore : order, source));
        }
    }
}
