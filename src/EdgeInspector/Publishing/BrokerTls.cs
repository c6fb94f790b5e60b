using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;

namespace EdgeInspector.Publishing;

/// <summary>
/// Encryption of one connection: who the broker must be, and who we are. Files are read anew for each connection, so that
/// a renewed certificate needs no restart. What is wrong ends up in <see cref="Fault"/>, in one line for a person.
/// </summary>
internal sealed class BrokerTls(MqttOptions options, TimeProvider time)
{
    private X509Certificate2Collection? _authorities;

    /// <summary>Why the broker's certificate was refused; null when it was not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Sets the connection up.</summary>
    /// <exception cref="BrokerTroubleException">A file is missing, unreadable, open to others or expired.</exception>
    public void Configure(MqttClientTlsOptionsBuilder tls)
    {
        tls.UseTls().WithTargetHost(options.Host).WithSslProtocols(SslProtocols.Tls12 | SslProtocols.Tls13);
        // A plant's own authority seldom has a reachable revocation list.
        tls.WithRevocationMode(X509RevocationMode.NoCheck);
        if (options.CaFile is { Length: > 0 } ca)
        {
            _authorities = Authorities(ca);
        }

        tls.WithCertificateValidationHandler(Check);
        if (options.ClientCertificateFile is { Length: > 0 } certificate)
        {
            tls.WithClientCertificates([Ours(certificate, options.ClientKeyFile!)]);
        }
    }

    private static X509Certificate2Collection Authorities(string path)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new BrokerTroubleException($"Mqtt:CaFile: {path} cannot be read: {e.Message}", e);
        }

        return authorities.Count > 0
            ? authorities
            : throw new BrokerTroubleException($"Mqtt:CaFile: {path} holds no certificate; expected PEM");
    }

    private X509Certificate2 Ours(string path, string keyPath)
    {
        if (SecretFile.Fault(keyPath, "Mqtt:ClientKeyFile", SecretFile.LargestKey) is { } fault)
        {
            throw new BrokerTroubleException(fault);
        }

        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPemFile(path, keyPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new BrokerTroubleException(
                $"Mqtt:ClientCertificateFile: {path} and {keyPath} are no certificate and key in PEM that belong together",
                e
            );
        }

        if (certificate.NotAfter.ToUniversalTime() < time.GetUtcNow().UtcDateTime)
        {
            throw new BrokerTroubleException(
                $"Mqtt:ClientCertificateFile: {path} expired on {Day(certificate.NotAfter)}; renew it, or set this machine's clock"
            );
        }

        return certificate;
    }

    private bool Check(MqttClientCertificateValidationEventArgs e)
    {
        Fault = FaultOf(e);
        return Fault is null;
    }

    private string? FaultOf(MqttClientCertificateValidationEventArgs e)
    {
        if (e.Certificate is null)
        {
            return "it shows no certificate";
        }

        using var certificate = new X509Certificate2(e.Certificate);
        var now = time.GetUtcNow().UtcDateTime;
        if (certificate.NotAfter.ToUniversalTime() < now)
        {
            return $"its certificate expired on {Day(certificate.NotAfter)}; renew it there, or set this machine's clock";
        }

        if (certificate.NotBefore.ToUniversalTime() > now)
        {
            return $"its certificate is valid from {Day(certificate.NotBefore)} on; set this machine's clock";
        }

        if (e.SslPolicyErrors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"its certificate is for another host; Mqtt:Host must be a name in it ({Names(certificate)})";
        }

        if (_authorities is null)
        {
            return e.SslPolicyErrors == SslPolicyErrors.None
                ? null
                : "its certificate is from no authority this machine knows; name the plant's own in Mqtt:CaFile";
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        // What the broker sent along between its own certificate and the authority.
        foreach (var sent in e.Chain?.ChainElements.Select(element => element.Certificate) ?? [])
        {
            chain.ChainPolicy.ExtraStore.Add(sent);
        }

        // Server authentication.
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        if (chain.Build(certificate))
        {
            return null;
        }

        var expired = Array.Exists(chain.ChainStatus, status => status.Status.HasFlag(X509ChainStatusFlags.NotTimeValid));
        return expired
            ? "the authority behind its certificate has expired; replace Mqtt:CaFile"
            : "its certificate is not from the authority in Mqtt:CaFile";
    }

    private static string Names(X509Certificate2 certificate)
    {
        var names = certificate
            .Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension =>
                extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(address => address.ToString()))
            )
            .Take(5);
        return string.Join(", ", names) is { Length: > 0 } list ? list : certificate.Subject;
    }

    private static string Day(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
