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

    /// <summary>
    /// File of the tokens that commands, bundles and pictures to inspect need, each with a name and a role; not readable by
    /// others. Made by <c>edge-inspector token new</c>. Null: nobody has one, so nobody commands over HTTP.
    /// </summary>
    public string? TokenFile { get; set; }

    /// <summary>Pictures that programs send to be inspected, <c>POST /v1/inspect</c>.</summary>
    public WebInspectOptions Inspect { get; set; } = new();

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

        if (Enabled && TokenFile is { } tokens && Web.TokenFile.Fault(tokens) is { } wrong)
        {
            yield return new ValidationResult(wrong, [nameof(TokenFile)]);
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

/// <summary>Pictures that programs send to be inspected.</summary>
internal sealed class WebInspectOptions
{
    /// <summary>
    /// Whether they are taken. Off unless asked for: it loads the model package of the first station a second time, about
    /// 100 MB, and takes what processor time the line leaves.
    /// </summary>
    public bool Enabled { get; set; }

    /// <summary>Largest picture, bytes, 1 KB to 64 MB. 8 MB is a JPEG of some 20 megapixels.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaximumBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>Most pixels, 1,024 to 200,000,000; looked at before decoding. 25 million take 75 MB.</summary>
    [Range(1024, 200_000_000)]
    public int MaximumPixels { get; set; } = 25_000_000;

    /// <summary>How long an answer may take, 100 ms to 10 min: on a busy line there is no processor time for it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}
