using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace EdgeInspector.Telemetry;

/// <summary>
/// Sends the instruments to an OpenTelemetry collector, each <see cref="MetricsOptions.OtlpInterval"/>, from a thread of its own. A
/// collector that is away misses points and nothing else.
/// </summary>
internal sealed class MetricsExport : IDisposable
{
    private readonly MeterProvider _provider;

    /// <summary>Begins to export.</summary>
    /// <param name="options">With an endpoint.</param>
    /// <param name="instance">Which device this is, unique in the plant.</param>
    /// <param name="version">The program's version.</param>
    public MetricsExport(MetricsOptions options, string instance, string version) =>
        _provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => resource.AddService("edge-inspector", null, version, autoGenerateServiceInstanceId: false, instance))
            .AddMeter(Instruments.MeterName, Instruments.MeterName + ".*")
            .AddOtlpExporter(
                (otlp, reader) =>
                {
                    otlp.Endpoint = options.OtlpEndpoint!;
                    otlp.Protocol = OtlpExportProtocol.HttpProtobuf;
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.OtlpInterval.TotalMilliseconds;
                }
            )
            .Build();

    /// <summary>Exports now, and waits for it at most so long. False when the collector did not take it.</summary>
    public bool Flush(TimeSpan patience) => _provider.ForceFlush((int)patience.TotalMilliseconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        // A collector that is away must not hold up the end of the service.
        _provider.Shutdown(1000);
        _provider.Dispose();
    }
}
