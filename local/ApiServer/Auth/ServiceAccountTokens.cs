using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Signed tokens of service accounts. One is good until it expires or its account is gone.</summary>
internal sealed class ServiceAccountTokens(byte[] key, ObjectStore store, TimeProvider time)
{
    public const string Audience = "https://kubernetes.default.svc";

    /// <summary>Signs a token and gives the moment it ends.</summary>
    public (string Token, DateTimeOffset Expires) Issue(StoredObject account, long seconds, JsonObject? boundObject, IReadOnlyList<string> audiences)
    {
        var now = time.GetUtcNow();
        var expires = now.AddSeconds(Math.Clamp(seconds, 600, 1L << 32));
        var kubernetes = new JsonObject
        {
            ["namespace"] = account.Namespace,
            ["serviceaccount"] = new JsonObject { ["name"] = account.Name, ["uid"] = account.Uid },
        };
        if (boundObject.Text("kind") is "Pod")
            kubernetes["pod"] = new JsonObject { ["name"] = boundObject.Text("name"), ["uid"] = boundObject.Text("uid") };
        var claims = new JsonObject
        {
            ["aud"] = new JsonArray([.. audiences.Select(audience => (JsonNode?)audience)]),
            ["exp"] = expires.ToUnixTimeSeconds(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["iss"] = Audience,
            ["jti"] = Guid.NewGuid().ToString(),
            ["kubernetes.io"] = kubernetes,
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["sub"] = $"system:serviceaccount:{account.Namespace}:{account.Name}",
        };
        var head = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);
        var signed = head + "." + Base64Url.EncodeToString(JsonBody.Serialize(claims));
        return (signed + "." + Sign(signed), expires);
    }

    /// <summary>The account of a token that is for one of the audiences, and those it is for; null when there is none.</summary>
    public (User User, IReadOnlyList<string> Audiences)? Verify(string token, IReadOnlyList<string> audiences)
    {
        var end = token.LastIndexOf('.');
        var middle = token.IndexOf('.');
        if (middle <= 0 || end <= middle || token.Length > 8192) return null;
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(token[..end])), Encoding.ASCII.GetBytes(token[(end + 1)..]))) return null;
        try
        {
            var claims = JsonBody.ParseObject(Base64Url.DecodeFromChars(token.AsSpan(middle + 1, end - middle - 1)));
            List<string> meant = [.. (claims.Array("aud") ?? []).Select(one => one.AsText()).OfType<string>().Intersect(audiences)];
            return meant.Count > 0 && Read(claims) is { } user ? (user, meant) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    private User? Read(JsonObject claims)
    {
        if (claims.Integer("exp") is not { } expires || expires <= time.GetUtcNow().ToUnixTimeSeconds()) return null;
        var kubernetes = claims.Object("kubernetes.io");
        var ns = kubernetes.Text("namespace") ?? "";
        var account = kubernetes.Object("serviceaccount");
        var uid = account.Text("uid");
        if (store.Get("/serviceaccounts", StoredObject.KeyOf(ns, account.Text("name") ?? ""))?.Uid != uid) return null;
        var extra = new Dictionary<string, string>();
        if (kubernetes.Object("pod") is { } pod)
        {
            extra["authentication.kubernetes.io/pod-name"] = pod.Text("name") ?? "";
            extra["authentication.kubernetes.io/pod-uid"] = pod.Text("uid") ?? "";
        }

        return new User(claims.Text("sub") ?? "", uid, ["system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"]) { Extra = extra };
    }

    private string Sign(string text) => Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(text)));
}
