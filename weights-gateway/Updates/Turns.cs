using Microsoft.Extensions.Logging;

namespace Trestle.WeightsGateway.Updates;

/// <summary>Does something again and again, a second after it was done; what breaks is logged and begun anew.</summary>
internal static class Turns
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>Until cancelled.</summary>
    public static async Task RunAsync(Func<CancellationToken, Task> once, TimeProvider time, ILogger log, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await once(ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                GatewayLog.RoundBroke(log, error);
            }

            await Task.Delay(Every, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
