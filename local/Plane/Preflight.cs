using System.Net;
using System.Net.Sockets;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Plane;

/// <summary>Finds out before anything is started what would fail later.</summary>
internal static class Preflight
{
    private const long NeededBytes = 64L << 20;

    /// <summary>Throws <see cref="PlaneException"/> with the first thing that stands in the way.</summary>
    public static async Task CheckAsync(PlaneDirectory directory, CancellationToken ct)
    {
        if (!OperatingSystem.IsLinux()) throw new PlaneException("trestle local needs Linux: pods run in bubblewrap sandboxes");
        try
        {
            directory.Create();
            var probe = Path.Combine(directory.Run, ".probe");
            await File.WriteAllTextAsync(probe, "", ct);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PlaneException($"the state directory {directory.Root} can't be written ({e.Message}); give another one with --state");
        }

        var free = new DriveInfo(directory.Root).AvailableFreeSpace;
        if (free < NeededBytes) throw new PlaneException($"only {free >> 20} MiB are free under {directory.Root}; free some space (64 MiB at least) or give another directory with --state");
        if (await Bubblewrap.ComplaintAsync(ct) is { } complaint) throw new PlaneException(complaint);
    }

    /// <summary>Whether nobody listens on the port.</summary>
    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A port nobody listens on now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
