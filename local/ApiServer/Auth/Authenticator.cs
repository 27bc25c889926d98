using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Trestle.Local.ApiServer;

/// <summary>Bearer tokens: the admin's, and those of service accounts. No token is anonymous; an unknown one is refused.</summary>
internal sealed class Authenticator(string adminToken, ServiceAccountTokens serviceAccounts)
{
    public User Authenticate(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.Length == 0) return Impersonate(request, User.Anonymous);
        var user = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? Identify(header[7..].Trim()) : null;
        return Impersonate(request, user ?? throw new ApiException(401, "Unauthorized", "Unauthorized"));
    }

    /// <summary>The owner of a token for this server, or null.</summary>
    public User? Identify(string token) => Identify(token, [ServiceAccountTokens.Audience])?.User;

    /// <summary>The owner of a token for one of the audiences, and those it is for; the admin's is for this server.</summary>
    public (User User, IReadOnlyList<string> Audiences)? Identify(string token, IReadOnlyList<string> audiences) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(token)), SHA256.HashData(Encoding.UTF8.GetBytes(adminToken)))
            ? audiences.Contains(ServiceAccountTokens.Audience) ? (User.Admin, [ServiceAccountTokens.Audience]) : null
            : serviceAccounts.Verify(token, audiences);

    private static User Impersonate(HttpRequest request, User user)
    {
        var name = request.Headers["Impersonate-User"].ToString();
        if (name.Length == 0) return user;
        if (user.IsAnonymous) throw new ApiException(403, "Forbidden", "users is forbidden: User \"system:anonymous\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope");
        var groups = request.Headers["Impersonate-Group"].OfType<string>().Append("system:authenticated").Distinct().ToArray();
        return new User(name, null, groups) { Impersonator = user };
    }
}
