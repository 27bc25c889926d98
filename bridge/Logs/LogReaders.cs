using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Runtime;

namespace Trestle.Bridge.Logs;

/// <summary>
/// Whether a token lets its bearer read the logs of a namespace: it must be a token of the namespace's log account, made for this purpose
/// alone. The API server gave it out to somebody who may have it, and says here that it is real.
/// </summary>
[EntityRbac("authentication.k8s.io", "tokenreviews", "create")]
internal sealed class LogReaders(IKubeApi api, TimeProvider time)
{
    private const int LongestToken = 8192;
    private const int MostKnown = 1000;
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, (string? User, long At)> _known = [];

    /// <summary>Asks the API server at most every half a minute for the same token.</summary>
    /// <exception cref="KubeApiException">The API server refuses to say.</exception>
    /// <exception cref="HttpRequestException">The API server can't be reached.</exception>
    public async Task<bool> MayReadAsync(string? token, string ns, CancellationToken ct)
    {
        if (token is not { Length: > 0 and <= LongestToken }) return false;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (!_known.TryGetValue(hash, out var known) || time.GetElapsedTime(known.At) > Freshness)
        {
            known = (await UserAsync(token, ct), time.GetTimestamp());
            // Made-up tokens must not fill the memory.
            if (_known.Count >= MostKnown) _known.Clear();
            _known[hash] = known;
        }

        return known.User == $"system:serviceaccount:{ns}:{Names.LogAccount}";
    }

    private async Task<string?> UserAsync(string token, CancellationToken ct)
    {
        var review = await api.CreateAsync(new TokenReview { Spec = new V1TokenReviewSpec { Token = token, Audiences = [Names.LogAudience] } }, ct);
        // An API server that knows no audiences names none; its word is not enough.
        return review.Status is { Authenticated: true } status && status.Audiences?.Contains(Names.LogAudience) == true ? status.User?.Username : null;
    }
}
