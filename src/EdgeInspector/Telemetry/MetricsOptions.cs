using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Telemetry;

/// <summary>
/// Who is sent the instruments. Section <c>Metrics</c>. Prometheus needs nothing here: it reads <c>/metrics</c> of the page's server.
/// </summary>
internal sealed class MetricsOptions : IValidatableObject
{
    /// <summary>
    /// An OpenTelemetry collector that takes OTLP over HTTP, with the path, such as <c>http://10.0.0.5:4318/v1/metrics</c>; null for
    /// none.
    /// </summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>Time between two exports, 1 s to 1 h. What most collectors keep is a point each 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan OtlpInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (OtlpEndpoint is { Scheme: not ("http" or "https") })
        {
            yield return new ValidationResult(
                $"Metrics:OtlpEndpoint: {OtlpEndpoint} must begin with http:// or https://",
                [nameof(OtlpEndpoint)]
            );
        }
        else if (OtlpEndpoint is { UserInfo.Length: > 0 })
        {
            yield return new ValidationResult(
                "Metrics:OtlpEndpoint must not hold a password: settings are shown; let a collector on this machine log in",
                [nameof(OtlpEndpoint)]
            );
        }
    }
}
