using System.Text;
using k8s.Models;

namespace Trestle.Bridge.Jobs;

/// <summary>
/// The file in which the secrets of an attempt are handed over: DIRECTORY/secrets, mode 0600. One line an entry, SECRET/KEY, a
/// space, and the value in base64, so that any value stays as it is. The launcher reads and deletes it.
/// </summary>
internal static class SecretFile
{
    /// <summary>The text; null when there is nothing to hand over.</summary>
    public static string? Text(IReadOnlyList<V1Secret> secrets)
    {
        var text = new StringBuilder();
        foreach (var secret in secrets)
        {
            foreach (var (key, value) in (secret.Data ?? new Dictionary<string, byte[]>()).OrderBy(entry => entry.Key, StringComparer.Ordinal))
                text.Append(secret.Metadata.Name).Append('/').Append(key).Append(' ').Append(Convert.ToBase64String(value)).Append('\n');
        }

        return text.Length == 0 ? null : text.ToString();
    }
}
