namespace Trestle.CacheMount.Stores;

/// <summary>What a store is found to be like.</summary>
/// <param name="KnowsConditions">It writes only where a condition holds.</param>
/// <param name="Since">Its own time when this cache was first served: what is older is history; null when it does not say.</param>
internal sealed record StoreTraits(bool KnowsConditions, DateTimeOffset? Since)
{
    /// <summary>Before the keys of objects that are only written to try.</summary>
    public const string Probe = ".trestle/probe";

    /// <summary>Tries it out.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">A name that nobody else uses.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="StoreException">It can't be tried now.</exception>
    public static async Task<StoreTraits> OfAsync(IObjectStore store, string name, CancellationToken ct)
    {
        var key = $"{Probe}-{name}";
        await store.PutAsync(key, ObjectBody.Of(ReadOnlyMemory<byte>.Empty), new Dictionary<string, string>(StringComparer.Ordinal), ct);
        var since = (await store.HeadAsync(key, ct))?.Modified;
        var knows = await RefusesAsync(store, key, new WriteCondition(null), ct) && await RefusesAsync(store, key, new WriteCondition("\"00000000000000000000000000000000\""), ct);
        await store.DeleteAsync(key, ct);
        return new StoreTraits(knows, since);
    }

    private static async Task<bool> RefusesAsync(IObjectStore store, string key, WriteCondition only, CancellationToken ct)
    {
        try
        {
            await store.PutAsync(key, ObjectBody.Of(ReadOnlyMemory<byte>.Empty), new Dictionary<string, string>(StringComparer.Ordinal), ct, only);
            return false;
        }
        catch (StoreException error) when (error.Problem is StoreProblem.Changed)
        {
            return true;
        }
        catch (StoreException error) when (error.Problem is StoreProblem.Refused)
        {
            return false; // it does not know the header at all
        }
    }
}
