using System.Text.Json;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Trestle.Runtime;

/// <summary>
/// Lets one of several processes work at a time, by a Lease. A term ends at the latest 10 s after the last renewal that was
/// asked for and granted; another process begins at the earliest 15 s after it saw the last change of the lease (both by
/// default, see <see cref="LeaseTiming"/>). They are measured on the process's own monotonic clock, so clocks need not agree.
/// </summary>
/// <param name="api">The server.</param>
/// <param name="ns">Namespace of the lease.</param>
/// <param name="name">Name of the lease.</param>
/// <param name="identity">Who we are; different in every process.</param>
/// <param name="time">Clock of terms and waits.</param>
/// <param name="log">Where terms are told.</param>
/// <param name="timing">How long a lease lasts; <see cref="LeaseTiming.Default"/> when null.</param>
public sealed class LeaderGate(IKubeApi api, string ns, string name, string identity, TimeProvider time, ILogger log, LeaseTiming? timing = null)
{
    private readonly LeaseTiming _timing = timing ?? LeaseTiming.Default;
    private readonly ObjectKey _key = new(ns, name);
    private string? _seenVersion;
    private long _seenAt;

    /// <summary>
    /// Waits for leadership, works, and gives it up when <paramref name="whileLeader"/> has ended; goes on until cancelled or
    /// until the work ends by itself. The token of the work is cancelled when leadership is lost or <paramref name="ct"/> is;
    /// after a loss the work is begun anew in the next term. What the work throws, other than for its token, comes out here.
    /// </summary>
    public async Task RunAsync(Func<CancellationToken, Task> whileLeader, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            if (await TryAcquireAsync(ct) is { } lease)
            {
                if (await LeadAsync(lease, began, whileLeader, ct)) return;
            }
            else
            {
                await Task.Delay(Jitter.Around(_timing.RetryPeriod), time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // True when the work ended by itself.
    private async Task<bool> LeadAsync(V1Lease lease, long began, Func<CancellationToken, Task> whileLeader, CancellationToken ct)
    {
        RuntimeLog.Leading(log, _key, identity);
        using var term = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var drained = new CancellationTokenSource();
        await using var deadline = time.CreateTimer(_ => term.Cancel(), null, Remaining(began), Timeout.InfiniteTimeSpan);
        var work = Task.Run(() => whileLeader(term.Token), CancellationToken.None);
        var renewing = RenewAsync(lease, deadline, drained.Token);
        try
        {
            if (await Task.WhenAny(work, renewing) == renewing) await term.CancelAsync();
            await work;
            return !term.IsCancellationRequested;
        }
        catch (OperationCanceledException) when (term.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            // The lease is ours until the workers have ended, so that nobody works beside them.
            await drained.CancelAsync();
            if (await renewing is { } held) await ReleaseAsync(held);
            RuntimeLog.NotLeading(log, _key, identity);
        }
    }

    // Gives the lease when the work has ended, null when it was lost to another.
    private async Task<V1Lease?> RenewAsync(V1Lease lease, ITimer deadline, CancellationToken drained)
    {
        while (true)
        {
            await Task.Delay(_timing.RetryPeriod, time, drained).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (drained.IsCancellationRequested) return lease;
            var began = time.GetTimestamp();
            using var limit = new CancellationTokenSource(_timing.AnswerLimit, time);
            try
            {
                lease = await api.ReplaceAsync(Held(lease), limit.Token);
                deadline.Change(Remaining(began), Timeout.InfiniteTimeSpan);
            }
            catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
            {
                // Another's, or ours by a request whose answer was lost, or changed by a person.
                if (await LookAsync(lease, limit.Token) is not { } now) return null;
                lease = now;
            }
            catch (Exception error) when (IsPassing(error))
            {
                RuntimeLog.LeaseFailed(log, _key, error.Message);
            }
        }
    }

    // The lease as it is now; null when it is not ours, the known one when the server can't say.
    private async Task<V1Lease?> LookAsync(V1Lease known, CancellationToken ct)
    {
        try
        {
            return await api.FindAsync<V1Lease>(_key, ct) is { } lease && lease.Spec?.HolderIdentity == identity ? lease : null;
        }
        catch (Exception error) when (IsPassing(error))
        {
            RuntimeLog.LeaseFailed(log, _key, error.Message);
            return known;
        }
    }

    private async Task<V1Lease?> TryAcquireAsync(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(_timing.AnswerLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            var lease = await api.FindAsync<V1Lease>(_key, either.Token);
            if (lease is null) return await api.CreateAsync(Held(new V1Lease { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns } }), either.Token);
            return IsFree(lease) ? await api.ReplaceAsync(Held(lease), either.Token) : null;
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsAlreadyExists)
        {
            return null; // another was faster
        }
        catch (Exception error) when (IsPassing(error))
        {
            if (!ct.IsCancellationRequested) RuntimeLog.LeaseFailed(log, _key, error.Message);
            return null;
        }
    }

    private bool IsFree(V1Lease lease)
    {
        if (lease.Metadata.ResourceVersion != _seenVersion) (_seenVersion, _seenAt) = (lease.Metadata.ResourceVersion, time.GetTimestamp());
        if (string.IsNullOrEmpty(lease.Spec?.HolderIdentity) || lease.Spec.HolderIdentity == identity) return true;
        var duration = lease.Spec.LeaseDurationSeconds is { } seconds and > 0 ? TimeSpan.FromSeconds(seconds) : _timing.Duration;
        return time.GetElapsedTime(_seenAt) >= duration;
    }

    private V1Lease Held(V1Lease lease)
    {
        var now = Now();
        var spec = lease.Spec ??= new V1LeaseSpec();
        if (spec.HolderIdentity != identity)
        {
            spec.LeaseTransitions = (spec.LeaseTransitions ?? -1) + 1;
            spec.AcquireTime = now;
            spec.HolderIdentity = identity;
        }

        spec.LeaseDurationSeconds = (int)_timing.Duration.TotalSeconds;
        spec.RenewTime = now;
        return lease;
    }

    private async Task ReleaseAsync(V1Lease lease)
    {
        using var limit = new CancellationTokenSource(_timing.AnswerLimit, time);
        try
        {
            lease.Spec.HolderIdentity = null;
            lease.Spec.RenewTime = Now();
            await api.ReplaceAsync(lease, limit.Token);
        }
        catch (Exception error) when (IsPassing(error))
        {
            RuntimeLog.LeaseFailed(log, _key, error.Message);
        }
    }

    private TimeSpan Remaining(long began)
    {
        var left = _timing.RenewDeadline - time.GetElapsedTime(began);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    // Lease times need exactly six digits after the second, and the serializer writes none when they are all zero.
    private DateTime Now()
    {
        var now = time.GetUtcNow().UtcDateTime;
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        return now.Ticks % TimeSpan.TicksPerSecond == 0 ? now.AddMicroseconds(1) : now;
    }

    private static bool IsPassing(Exception error) =>
        error is KubeApiException or HttpRequestException or IOException or JsonException or OperationCanceledException;
}
