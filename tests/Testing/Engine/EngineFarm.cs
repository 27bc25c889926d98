using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Trestle.Runtime;

namespace Trestle.Testing.Engine;

/// <summary>Many engines in one process, each at an address of its own in 127.0.0.0/8 and all at one port.</summary>
public sealed class EngineFarm : IAsyncDisposable
{
    private static int _farms;
    private readonly Dictionary<IPAddress, StandInEngine> _engines;
    private readonly WebApplication _app;

    private EngineFarm(IReadOnlyList<(IPAddress, StandInEngine)> engines, WebApplication app, int port)
    {
        (_engines, _app) = (engines.ToDictionary(one => one.Item1, one => one.Item2), app);
        Engines = [.. engines.Select(one => one.Item2)];
        Addresses = [.. engines.Select(one => new Uri($"http://{one.Item1}:{port}"))];
    }

    public IReadOnlyList<StandInEngine> Engines { get; }

    public IReadOnlyList<Uri> Addresses { get; }

    /// <param name="count">How many.</param>
    /// <param name="options">How they behave.</param>
    /// <param name="ports">Ports of each; a free one when none is given.</param>
    public static async Task<EngineFarm> StartAsync(int count, EngineOptions? options = null, params IReadOnlyList<int> ports)
    {
        var farm = Interlocked.Increment(ref _farms);
        if (ports.Count == 0) ports = [FreePort()];
        var engines = Enumerable.Range(0, count).Select(at => (Address(farm, at), new StandInEngine(options ?? new EngineOptions()))).ToList();
        var known = engines.ToDictionary(one => one.Item1, one => one.Item2);
        var app = await HttpEndpoint.StartAsync(
            string.Join(';', engines.SelectMany(one => ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"http://{one.Item1}:{port}")))),
            context => known[context.Connection.LocalIpAddress!.MapToIPv4()].AnswerAsync(context),
            CancellationToken.None);
        return new EngineFarm(engines, app, ports[0]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in _engines.Values) engine.Kill();
        await _app.DisposeAsync();
    }

    /// <summary>A port nothing listens on, at the moment.</summary>
    public static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Any, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    // One process may hold many farms, and the machine several processes: the process takes part in the address.
    private static IPAddress Address(int farm, int at) => new([127, (byte)(16 + (Environment.ProcessId % 200)), (byte)((farm * 2) + (at / 200)), (byte)(1 + (at % 200))]);
}
