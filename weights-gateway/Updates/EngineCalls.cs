using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>Asks many engines the same thing at once: one after another would deadlock where they wait for each other.</summary>
internal static class EngineCalls
{
    /// <summary>Gives why each that failed did; others are not among the answers.</summary>
    /// <param name="members">Whom to ask.</param>
    /// <param name="call">What.</param>
    /// <param name="limit">How long each may take.</param>
    /// <param name="time">Clock.</param>
    /// <param name="ct">Ends waiting for all; they count as failed.</param>
    public static async Task<IReadOnlyList<(Member Member, string Why)>> OnAllAsync(
        IReadOnlyCollection<Member> members, Func<IEngine, CancellationToken, Task> call, TimeSpan limit, TimeProvider time, CancellationToken ct)
    {
        var answers = await Task.WhenAll(members.Select(async member => (member, Why: await AskAsync(member, call, limit, time, ct))));
        return [.. answers.Where(answer => answer.Why is not null).Select(answer => (answer.member, answer.Why!))];
    }

    private static async Task<string?> AskAsync(Member member, Func<IEngine, CancellationToken, Task> call, TimeSpan limit, TimeProvider time, CancellationToken ct)
    {
        member.Told();
        using var late = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct, member.Gone);
        try
        {
            await call(member.Engine, either.Token);
            return null;
        }
        catch (EngineException error)
        {
            return error.Message;
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            return member.Gone.IsCancellationRequested ? "its pod went away" : ct.IsCancellationRequested ? "the update was given up" : $"no answer in {limit.TotalSeconds:0.#} s";
        }
        finally
        {
            member.Told();
        }
    }
}
