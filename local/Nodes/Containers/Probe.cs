using System.Globalization;
using System.Net.Sockets;
using k8s.Models;

namespace Trestle.Local.Nodes.Containers;

/// <summary>What a probe needs of its container.</summary>
/// <param name="Address">The pod's address.</param>
/// <param name="Container">The container, for named ports.</param>
/// <param name="ExecAsync">Runs a command in the sandbox; gives its exit code.</param>
public sealed record ProbeTarget(string Address, V1Container Container, Func<IReadOnlyList<string>, CancellationToken, Task<int>> ExecAsync);

/// <summary>Asks a container once whether it is well.</summary>
public static class Probe
{
#pragma warning disable CA5359 // probes don't judge certificates, as kubelets don't
    private static readonly HttpClient Http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromSeconds(1),
        SslOptions = new System.Net.Security.SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true },
    });
#pragma warning restore CA5359

    /// <summary>Null when it answered well in time; otherwise why not.</summary>
    public static async Task<string?> AskAsync(V1Probe probe, ProbeTarget target, TimeProvider time, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(probe.TimeoutSeconds ?? 1), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            return probe switch
            {
                { Exec: { } exec } => await target.ExecAsync([.. exec.Command], both.Token) is var code and not 0 ? $"command ended with {code}" : null,
                { HttpGet: { } http } => await GetAsync(http, target, both.Token),
                { TcpSocket: { } tcp } => await ConnectAsync(tcp.Host ?? target.Address, Port(tcp.Port, target.Container), both.Token),
                _ => "gRPC probes are not made on one machine; use exec, httpGet or tcpSocket",
            };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return $"no answer within {probe.TimeoutSeconds ?? 1} s";
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException or ContainerConfigException or UriFormatException or InvalidOperationException)
        {
            return e.Message;
        }
    }

    private static async Task<string?> GetAsync(V1HTTPGetAction http, ProbeTarget target, CancellationToken ct)
    {
        var scheme = string.Equals(http.Scheme, "HTTPS", StringComparison.OrdinalIgnoreCase) ? "https" : "http";
        var path = http.Path is { Length: > 0 } p ? (p.StartsWith('/') ? p : "/" + p) : "/";
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{scheme}://{http.Host ?? target.Address}:{Port(http.Port, target.Container)}{path}");
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.36");
        foreach (var header in http.HttpHeaders ?? []) request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        return (int)answer.StatusCode is >= 200 and < 400 ? null : $"HTTP probe failed with statuscode: {(int)answer.StatusCode}";
    }

    private static async Task<string?> ConnectAsync(string host, int port, CancellationToken ct)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host, port, ct);
        return null;
    }

    private static int Port(IntOrString port, V1Container container)
    {
        var text = port.Value ?? "";
        if (int.TryParse(text, CultureInfo.InvariantCulture, out var number)) return number;
        return container.Ports?.FirstOrDefault(p => p.Name == text)?.ContainerPort ?? throw new ContainerConfigException($"container {container.Name} has no port named {text}");
    }
}
