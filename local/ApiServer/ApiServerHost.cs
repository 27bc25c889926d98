using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Trestle.Local.ApiServer;

/// <summary>Starts the one-machine Kubernetes API server.</summary>
public static class ApiServerHost
{
    /// <summary>Returns when the server answers; its certificates, tokens and kubeconfig are then in place.</summary>
    /// <exception cref="IOException">The port or the state directory is in use.</exception>
    /// <exception cref="InvalidDataException">The journal is damaged before its end.</exception>
    public static async Task<RunningApiServer> StartAsync(ApiServerOptions options, CancellationToken cancel = default)
    {
        var journal = options.StateDirectory is null ? null : Journal.Open(Path.Combine(options.StateDirectory, "journal"), options.JournalFiles);
        ObjectStore store;
        try
        {
            store = new ObjectStore(journal, options.TimeProvider);
        }
        catch
        {
            journal?.Dispose();
            throw;
        }

        try
        {
            return await StartAsync(options, store, cancel);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    private static async Task<RunningApiServer> StartAsync(ApiServerOptions options, ObjectStore store, CancellationToken cancel)
    {
        var stopping = new CancellationTokenSource();
        var pki = Pki.LoadOrCreate(options.StateDirectory, options.TimeProvider);
        var token = options.AdminToken ?? Kubeconfig.ReadToken(options.StateDirectory) ?? Convert.ToHexString(RandomNumberGenerator.GetBytes(24)).ToLowerInvariant();
        var address = "127.0.0.1";
        var parts = new ServerParts(store, options, token, pki.SigningKey, () => address, stopping.Token);
        var controllers = new ControllerLoop(parts, pki.CaPem, options.LoggerFactory.CreateLogger<ControllerLoop>());
        await controllers.PrepareAsync();
        var app = Build(options, pki, parts);
        await app.StartAsync(cancel);
        var uri = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        address = uri.Authority;
        await controllers.StartAsync(uri.Port);
        return new RunningApiServer(app, parts, controllers, stopping)
        {
            Uri = uri,
            CaCertificate = pki.Ca,
            AdminToken = token,
            KubeconfigPath = options.StateDirectory is null ? null : Kubeconfig.Write(options.StateDirectory, uri, pki.CaPem, token),
        };
    }

    private static WebApplication Build(ApiServerOptions options, Pki pki, ServerParts parts)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(options.LoggerFactory);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // the reader has its own limit, with a Status
            kestrel.Limits.MaxConcurrentConnections = 10_000;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(IPAddress.Loopback, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = pki.Server, ServerCertificateChain = [pki.Ca] });
            });
        });
        var app = builder.Build();
        var router = new Router(parts, options.LoggerFactory.CreateLogger<Router>());
        app.Run(router.HandleAsync);
        return app;
    }
}
