using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Trestle.Local.ApiServer;

/// <summary>The server's own authority, its certificate and the key that signs service-account tokens.</summary>
internal sealed record Pki(X509Certificate2 Ca, X509Certificate2 Server, byte[] SigningKey)
{
    public string CaPem => Ca.ExportCertificatePem() + "\n";

    /// <summary>Reads <c>STATE/pki</c>, making what is missing; without a directory everything is new and in memory.</summary>
    public static Pki LoadOrCreate(string? stateDirectory, TimeProvider time)
    {
        if (stateDirectory is null)
        {
            using var fresh = CreateAuthority(time);
            return new Pki(PublicPart(fresh), CreateServer(fresh, time), RandomNumberGenerator.GetBytes(32));
        }

        var directory = Path.Combine(stateDirectory, "pki");
        SecretFile.CreateDirectory(directory);
        using var authority = LoadAuthority(directory, time);
        var keyPath = Path.Combine(directory, "sa.key");
        if (!File.Exists(keyPath)) SecretFile.Write(keyPath, RandomNumberGenerator.GetBytes(32));
        return new Pki(PublicPart(authority), CreateServer(authority, time), File.ReadAllBytes(keyPath));
    }

    private static X509Certificate2 LoadAuthority(string directory, TimeProvider time)
    {
        var certificate = Path.Combine(directory, "ca.crt");
        var key = Path.Combine(directory, "ca.key");
        if (File.Exists(certificate) && File.Exists(key)) return X509Certificate2.CreateFromPemFile(certificate, key);
        var made = CreateAuthority(time);
        SecretFile.Write(key, System.Text.Encoding.ASCII.GetBytes(made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()));
        File.WriteAllText(certificate, made.ExportCertificatePem() + "\n");
        return made;
    }

    private static X509Certificate2 CreateAuthority(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=trestle-local", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
    }

    private static X509Certificate2 CreateServer(X509Certificate2 authority, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kube-apiserver", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in (string[])["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]) names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.Parse("10.96.0.1"));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var now = time.GetUtcNow();
        var lastDay = new DateTimeOffset(authority.NotAfter);
        var end = now.AddYears(1) < lastDay ? now.AddYears(1) : lastDay;
        using var signed = request.Create(authority, now.AddDays(-1), end, RandomNumberGenerator.GetBytes(12));
        return signed.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 PublicPart(X509Certificate2 authority) => X509CertificateLoader.LoadCertificate(authority.RawData);
}

/// <summary>Files only their owner may read, from the first byte on.</summary>
internal static class SecretFile
{
    public static void CreateDirectory(string path)
    {
        if (!Directory.Exists(path)) Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Replaces a file as a whole.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var next = path + ".tmp";
        File.Delete(next);
        using (var file = new FileStream(next, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
    }
}
