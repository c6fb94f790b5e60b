using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace EdgeInspector.Telemetry;

/// <summary>
/// The instruments as Prometheus reads them (text format 0.0.4): names with underscores, the unit spelled out behind them, counters
/// with <c>_total</c>, as OpenTelemetry's compatibility document has it. Listens from its making to its disposal, so that
/// counters which are pushed are summed up between two readings. Any thread.
/// </summary>
internal sealed class MetricsText : IDisposable
{
    /// <summary>What the answer is sent as.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(Instrument Instrument, string Labels), double> _values = new();
    private readonly Lock _lock = new();

    /// <summary>Begins to listen.</summary>
    /// <param name="scope">
    /// Whose instruments: a process may hold several services. Rooms whose meter has no scope are heard as well.
    /// </param>
    public MetricsText(object scope)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            var meter = instrument.Meter;
            if (
                meter.Scope == scope
                || (meter.Scope is null && meter.Name.StartsWith(Instruments.MeterName + ".", StringComparison.Ordinal))
            )
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.MeasurementsCompleted = (instrument, _) => Forget(instrument);
        _listener.Start();
    }

    /// <summary>Everything, now.</summary>
    public string Read()
    {
        // One reading at a time: what an instrument no longer says must not stand beside what it does.
        lock (_lock)
        {
            foreach (var key in _values.Keys.Where(key => key.Instrument.IsObservable))
            {
                _values.TryRemove(key, out _);
            }

            _listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (
                var family in _values
                    .GroupBy(pair => NameOf(pair.Key.Instrument), StringComparer.Ordinal)
                    .OrderBy(family => family.Key, StringComparer.Ordinal)
            )
            {
                var instrument = family.First().Key.Instrument;
                text.Append("# HELP ").Append(family.Key).Append(' ').Append(EscapeHelp(instrument.Description ?? "")).Append('\n');
                text.Append("# TYPE ").Append(family.Key).Append(' ').Append(IsCounter(instrument) ? "counter" : "gauge").Append('\n');
                foreach (var ((_, labels), value) in family.OrderBy(pair => pair.Key.Labels, StringComparer.Ordinal))
                {
                    text.Append(family.Key).Append(labels).Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
                }
            }

            return text.ToString();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var key = (instrument, LabelsOf(tags));
        if (!instrument.IsObservable && IsCounter(instrument))
        {
            _values.AddOrUpdate(key, value, (_, before) => before + value);
        }
        else
        {
            _values[key] = value;
        }
    }

    private void Forget(Instrument instrument)
    {
        foreach (var key in _values.Keys.Where(key => key.Instrument == instrument))
        {
            _values.TryRemove(key, out _);
        }
    }

    private static bool IsCounter(Instrument instrument) => instrument is Counter<long> or Counter<double> or ObservableCounter<long> or ObservableCounter<double>;

    private static string NameOf(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        // What stands in braces counts things and is part of no name.
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            "m/s" => "_meters_per_second",
            _ => "",
        };
        return name + unit + (IsCounter(instrument) ? "_total" : "");
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        var text = new StringBuilder("{");
        foreach (var (name, value) in tags)
        {
            if (text.Length > 1)
            {
                text.Append(',');
            }

            text.Append(name.Replace('.', '_')).Append("=\"").Append(EscapeLabel(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")).Append('"');
        }

        return text.Append('}').ToString();
    }

    private static string EscapeHelp(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string EscapeLabel(string text) => EscapeHelp(text).Replace("\"", "\\\"", StringComparison.Ordinal);
}
