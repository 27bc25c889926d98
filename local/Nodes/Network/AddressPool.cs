using System.Globalization;

namespace Trestle.Local.Nodes.Network;

/// <summary>
/// Gives every pod its own loopback address in 127.16.0.0–127.239.255.255. The wish follows from the pod's uid, so a
/// restarted agent gives the same answer; addresses already published in pod status are kept as they are.
/// </summary>
public sealed class AddressPool
{
    private const int First = 16;
    private const int Span = 224 * 256 * 254;
    private readonly Dictionary<string, string> _byPod = [];
    private readonly HashSet<string> _taken = [];
    private readonly Lock _lock = new();

    /// <summary>Address of a pod; the same one at every call until it is released.</summary>
    /// <param name="uid">The pod's uid.</param>
    /// <param name="published">Address in the pod's status, when it has one.</param>
    public string Take(string uid, string? published = null)
    {
        lock (_lock)
        {
            if (_byPod.TryGetValue(uid, out var known)) return known;
            var address = published is not null && _taken.Add(published) ? published : Probe(uid);
            _byPod[uid] = address;
            return address;
        }
    }

    /// <summary>Gives the address of a pod that is gone back.</summary>
    public void Release(string uid)
    {
        lock (_lock)
        {
            if (_byPod.Remove(uid, out var address)) _taken.Remove(address);
        }
    }

    private string Probe(string uid)
    {
        var start = Hash(uid);
        for (var i = 0; i < Span; i++)
        {
            var address = Format((int)((start + (uint)i) % Span));
            if (_taken.Add(address)) return address;
        }

        throw new InvalidOperationException("no loopback address is left for another pod");
    }

    private static string Format(int n) => string.Create(CultureInfo.InvariantCulture, $"127.{First + (n / (256 * 254))}.{n / 254 % 256}.{1 + (n % 254)}");

    private static uint Hash(string text)
    {
        var hash = 2166136261u; // FNV-1a: stable across processes
        foreach (var c in text) hash = (hash ^ c) * 16777619u;
        return hash % Span;
    }
}
