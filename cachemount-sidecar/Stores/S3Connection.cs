using System.Security.Cryptography.X509Certificates;
using Amazon.Runtime;
using HttpClientFactory = Amazon.Runtime.HttpClientFactory;

namespace Trestle.CacheMount.Stores;

/// <summary>Makes connections to an S3 service.</summary>
internal static class S3Connection
{
    /// <summary>How many connections at once: those of parts, and a few for the rest.</summary>
    private const int Most = 80;

    /// <summary>Connections that trust what the options say.</summary>
    /// <exception cref="IOException">The file of certificates can't be read.</exception>
    public static SocketsHttpHandler Handler(S3Options options)
    {
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = Most,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            UseCookies = false,
            AllowAutoRedirect = false,
        };
        if (options.CertificateFile is { } file)
        {
            var trusted = new X509Certificate2Collection();
            trusted.ImportFromPemFile(file);
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
        }

        return handler;
    }

    /// <summary>Gives the SDK our connections.</summary>
    internal sealed class SdkFactory(SocketsHttpHandler handler) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;
    }
}
