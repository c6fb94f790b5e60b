using System.ComponentModel.DataAnnotations;
using System.Net;

namespace EdgeInspector.Web;

/// <summary>The page and its data. Section <c>Web</c>.</summary>
internal sealed class WebOptions : IValidatableObject
{
    /// <summary>Whether it is served.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Where, as <c>http://{address}:{port}</c>; port 0 takes a free one. Loopback unless
    /// <see cref="AllowRemote"/> is set.
    /// </summary>
    [Required(ErrorMessage = "must be of the form http://127.0.0.1:8080")]
    public string Address { get; set; } = "http://127.0.0.1:8080";

    /// <summary>
    /// Allows an address that other machines reach. Off, because the page has no login yet: whoever reaches it sees the
    /// line and its pictures. Behind a proxy that asks for one, or in a closed network, it may be on.
    /// </summary>
    public bool AllowRemote { get; set; }

    /// <summary>Connections at a time, 1 to 10,000. A page holds two.</summary>
    [Range(1, 10_000)]
    public int MaxConnections { get; set; } = 100;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Enabled && !TryParse(out _, out _, out var fault))
        {
            yield return new ValidationResult(fault, [nameof(Address)]);
        }
    }

    /// <summary>The address in parts; otherwise what is wrong with it, in one line.</summary>
    internal bool TryParse(out IPAddress address, out int port, out string fault)
    {
        (address, port, fault) = (IPAddress.Loopback, 0, string.Empty);
        if (
            !Uri.TryCreate(Address, UriKind.Absolute, out var uri)
            || uri.Scheme != Uri.UriSchemeHttp
            || uri.PathAndQuery != "/"
        )
        {
            fault = $"Web:Address: '{Address}' is not of the form http://127.0.0.1:8080";
            return false;
        }

        if (uri.Host == "localhost")
        {
            address = IPAddress.Loopback;
        }
        else if (!IPAddress.TryParse(uri.Host.Trim('[', ']'), out var parsed))
        {
            fault =
                $"Web:Address: '{uri.Host}' is not an IP address; "
                + $"use http://127.0.0.1:{uri.Port} or http://0.0.0.0:{uri.Port}";
            return false;
        }
        else
        {
            address = parsed;
        }

        port = uri.Port;
        if (!IPAddress.IsLoopback(address) && !AllowRemote)
        {
            fault =
                $"Web:Address {Address} can be reached from other machines and the page has no login; "
                + "use http://127.0.0.1, or set Web:AllowRemote to true if the network is closed";
            return false;
        }

        return true;
    }
}
