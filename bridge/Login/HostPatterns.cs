using System.IO.Enumeration;
using System.Security.Cryptography;
using System.Text;

namespace Trestle.Bridge.Login;

/// <summary>The first field of a known_hosts line: names with * and ?, ! for all but these, or one name as a salted hash.</summary>
internal abstract class HostPatterns
{
    private const string HashMagic = "|1|";

    /// <summary>Null when it can't be read.</summary>
    public static HostPatterns? Parse(string field) => field.StartsWith('|') ? Hashed.Parse(field) : new Plain(field.Split(','));

    /// <summary>The name is in lower case, with its port when that is not 22.</summary>
    public abstract bool Matches(string name);

    private sealed class Plain(string[] patterns) : HostPatterns
    {
        public override bool Matches(string name) =>
            patterns.Any(pattern => !pattern.StartsWith('!') && IsMatch(pattern, name))
            && !patterns.Any(pattern => pattern.StartsWith('!') && IsMatch(pattern[1..], name));

        // In this matcher a backslash would quote; in known_hosts it is a character that no host has.
        private static bool IsMatch(string pattern, string name) =>
            !pattern.Contains('\\') && FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: true);
    }

    private sealed class Hashed(byte[] salt, byte[] hash) : HostPatterns
    {
        public static new Hashed? Parse(string field)
        {
            var parts = field[1..].Split('|');
            if (!field.StartsWith(HashMagic, StringComparison.Ordinal) || parts.Length != 3) return null;
            var (salt, hash) = (new byte[parts[1].Length], new byte[parts[2].Length]);
            return Convert.TryFromBase64String(parts[1], salt, out var saltLength) && Convert.TryFromBase64String(parts[2], hash, out var hashLength)
                ? new Hashed(salt[..saltLength], hash[..hashLength])
                : null;
        }

#pragma warning disable CA5350 // SHA-1 is what the file format has; it hides names, the keys themselves are compared whole
        public override bool Matches(string name) => HMACSHA1.HashData(salt, Encoding.UTF8.GetBytes(name)).AsSpan().SequenceEqual(hash);
#pragma warning restore CA5350
    }
}
