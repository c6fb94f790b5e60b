using System.Diagnostics.Metrics;
using System.Text.Json;
using EdgeInspector.Line;

namespace EdgeInspector.Telemetry;

/// <summary>
/// Every instrument of the service, under the meter <see cref="MeterName"/>: each is asked when somebody collects and reads the
/// same snapshots as the page and MQTT, so counting costs the real-time threads nothing more. Tags come from small fixed
/// sets, never from parts. Any thread collects.
/// </summary>
internal sealed class Instruments : IDisposable
{
    /// <summary>The meter's name; other rooms' meters begin with it and a dot.</summary>
    public const string MeterName = "EdgeInspector";

    /// <summary>All instruments of one collection see the same moment, and a collection takes less than this.</summary>
    private static readonly TimeSpan SameMoment = TimeSpan.FromMilliseconds(200);

    private readonly Func<IReadOnlyList<StationSnapshot>> _snapshots;
    private readonly Func<ServiceFigures> _service;
    private readonly TimeProvider _time;
    private readonly Meter _meter;
    private readonly Lock _lock = new();
    private Moment? _moment;

    /// <summary>Makes the instruments.</summary>
    /// <param name="snapshots">Every station seen from outside.</param>
    /// <param name="service">What they share.</param>
    /// <param name="version">The program's version.</param>
    /// <param name="time">Tells one collection from the next.</param>
    public Instruments(
        Func<IReadOnlyList<StationSnapshot>> snapshots,
        Func<ServiceFigures> service,
        string version,
        TimeProvider time
    )
    {
        (_snapshots, _service, _time) = (snapshots, service, time);
        _meter = new Meter(new MeterOptions(MeterName) { Version = version, Scope = this });
        Parts();
        Line();
        Durations();
        States();
        Service(version);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private void Parts()
    {
        Counter(
            "parts",
            "{part}",
            "Parts by verdict; those of challenge tests left out.",
            s =>
                [
                    (s.Counts.Passed, "verdict", "pass"),
                    (s.Counts.Rejected, "verdict", "reject"),
                    (s.Counts.NotInspected, "verdict", "not_inspected"),
                    (s.Counts.Late, "verdict", "late"),
                ]
        );
        Counter("defects", "{part}", "Rejected parts by label.", s => s.Counts.Defects.Select(pair => (pair.Value, "label", pair.Key)));
        Gauge("parts.open", "{part}", "Parts decided whose end is outstanding.", s => s.Counts.Open);
        Counter("parts.unaccounted", "{part}", "Parts without an end or with two: must stay 0.", s => s.Counts.Unaccounted);
        Counter("parts.challenge", "{part}", "Parts of challenge tests.", s => s.Counts.ChallengeParts);
        Counter("entry.blockages", "{blockage}", "Blockages of the entry eye.", s => s.Counts.EntryEye);
        Counter("pulses", "{pulse}", "Ejector pulses.", s => s.Counts.Pulses);
        Counter("pulses.empty", "{pulse}", "Pulses over belt where nothing lay after all.", s => s.Counts.EmptyPulses);
        Counter(
            "confirmations",
            "{pulse}",
            "Pulses by what the confirm eye said in time.",
            s => [(s.Counts.Confirmed, "result", "confirmed"), (s.Counts.Unconfirmed, "result", "missing")]
        );
        Counter(
            "bin.unexpected",
            "{part}",
            "Falls into the bin that nothing had asked for.",
            s => s.Counts.UnexpectedBinEntries
        );
    }

    private void Line()
    {
        Counter("frames", "{frame}", "Frames inspected.", s => s.Frames);
        Counter("frames.dropped", "{frame}", "Frames captured and not inspected.", s => s.FramesDropped);
        Gauge("belt.speed", "m/s", "Belt speed.", s => Number(s.BeltSpeed));
        Gauge("uptime", "s", "Time since the station started.", s => s.Uptime.TotalSeconds);
        Counter("evidence.shed", "{picture}", "Pictures not taken because the evidence worker was behind.", s => s.EvidenceShed);
    }

    private void Durations()
    {
        // The figures are of the whole run: a backend sees their drift, and needs no buckets chosen for it.
        Gauge("decision.duration", "s", "Frame capture to decision, percentiles of the run.", s => Percentiles(s.Decision));
        Gauge("actuation.lateness", "s", "Planned to actual ejector edge, percentiles of the run.", s => Percentiles(s.Actuation));

        static IEnumerable<(double, string, string)> Percentiles(LatencyFigures f) =>
            [
                (Seconds(f.P50), "percentile", "50"),
                (Seconds(f.P99), "percentile", "99"),
                (Seconds(f.P999), "percentile", "99.9"),
                (Seconds(f.Max), "percentile", "100"),
            ];
    }

    private void States()
    {
        Gauge(
            "state",
            "",
            "1 for the state that the station is in (OPC 40100-1), 0 for the others.",
            s => Enum.GetValues<StationState>().Select(state => (s.State == state ? 1.0 : 0.0, "state", Snake(state)))
        );
        Gauge("healthy", "", "Whether the Healthy output is energised; missing before anything keeps it.", s => Healthy(s));
        Gauge(
            "up",
            "",
            "Whether the station has what it needs, by part: 1 or 0.",
            s =>
                [
                    (s.Camera == "connected" ? 1.0 : 0.0, "part", "camera"),
                    (s.Ledger == "ok" ? 1.0 : 0.0, "part", "ledger"),
                    // Switched off on purpose is no trouble.
                    (s.Broker is "connected" or "off" ? 1.0 : 0.0, "part", "broker"),
                    // What the networks run on is slower than what was wanted.
                    (s.Fallback is null ? 1.0 : 0.0, "part", "accelerator"),
                ]
        );
        Gauge(
            "alarms",
            "{alarm}",
            "Alarms that stand, by severity.",
            s =>
                Enum.GetValues<AlarmSeverity>()
                    .Select(severity => ((double)s.Alarms.Count(alarm => alarm.Severity == severity), "severity", Snake(severity)))
        );
        Gauge("alarm", "", "1 for each alarm that stands.", s => s.Alarms.Select(alarm => (1.0, "alarm", alarm.Name)).Distinct());
        _meter.CreateObservableGauge(
            Name("station.info"),
            () =>
                Now()
                    .Stations.Select(s => new Measurement<double>(
                        1,
                        new("station", s.Station),
                        new("recipe", s.Recipe),
                        new("model", s.Model),
                        new("provider", s.Provider),
                        new KeyValuePair<string, object?>("simulated", s.IsSimulated ? "true" : "false")
                    )),
            "",
            "What the station runs with; always 1."
        );

        static IEnumerable<(double, string, string)> Healthy(StationSnapshot s) =>
            s.IsHealthy is { } healthy ? [(healthy ? 1.0 : 0.0, "", "")] : [];
    }

    private void Service(string version)
    {
        Shared("outbox.waiting", "{message}", "Messages that wait for the broker.", f => [(f.RecordsWaiting, "record"), (f.PicturesWaiting, "picture")]);
        Shared("outbox.size", "By", "Payloads that wait for the broker.", f => [(f.RecordBytes, "record"), (f.PictureBytes, "picture")]);
        Total("publishing.shed", "{message}", "Records and pictures given up by publishing.", f => f.Shed);
        Total("publishing.acknowledged", "{event}", "Inspection events the broker has acknowledged.", f => f.Acknowledged);
        Total("publishing.requests.refused", "{request}", "Requests refused before anybody looked at them.", f => f.RequestsRefused);
        Total("ledger.lost", "{row}", "Ledger rows that could not be written.", f => f.LedgerLost);
        _meter.CreateObservableGauge(
            Name("ledger.waiting"),
            () => (double)Now().Service.LedgerWaiting,
            "{part}",
            "Parts offered to the ledger and not written yet."
        );
        _meter.CreateObservableGauge(
            Name("build.info"),
            () => new Measurement<double>(1, new KeyValuePair<string, object?>("version", version)),
            "",
            "The program's version; always 1."
        );
    }

    private void Counter(string name, string unit, string what, Func<StationSnapshot, long> value) =>
        Counter(name, unit, what, s => [(value(s), "", "")]);

    private void Counter(string name, string unit, string what, Func<StationSnapshot, IEnumerable<(long, string, string)>> values) =>
        _meter.CreateObservableCounter(Name(name), () => Each(values), unit, what);

    private void Gauge(string name, string unit, string what, Func<StationSnapshot, double> value) =>
        Gauge(name, unit, what, s => [(value(s), "", "")]);

    private void Gauge(string name, string unit, string what, Func<StationSnapshot, IEnumerable<(double, string, string)>> values) =>
        _meter.CreateObservableGauge(Name(name), () => Each(values), unit, what);

    private void Shared(string name, string unit, string what, Func<ServiceFigures, IEnumerable<(long, string)>> values) =>
        _meter.CreateObservableGauge(
            Name(name),
            () =>
                values(Now().Service)
                    .Select(value => new Measurement<double>(value.Item1, new KeyValuePair<string, object?>("kind", value.Item2))),
            unit,
            what
        );

    private void Total(string name, string unit, string what, Func<ServiceFigures, long> value) =>
        _meter.CreateObservableCounter(Name(name), () => value(Now().Service), unit, what);

    private IEnumerable<Measurement<T>> Each<T>(Func<StationSnapshot, IEnumerable<(T, string, string)>> values)
        where T : struct =>
        from station in Now().Stations
        from value in values(station)
        select value.Item2.Length == 0
            ? new Measurement<T>(value.Item1, new KeyValuePair<string, object?>("station", station.Station))
            : new Measurement<T>(
                value.Item1,
                new("station", station.Station),
                new KeyValuePair<string, object?>(value.Item2, value.Item3)
            );

    private Moment Now()
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            if (_moment is null || _time.GetElapsedTime(_moment.Timestamp, now) >= SameMoment)
            {
                _moment = new Moment(now, _snapshots(), _service());
            }

            return _moment;
        }
    }

    private static string Name(string name) => "edgeinspector." + name;

    private static string Snake<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>From milliseconds, to the nanosecond: 8.2 ms read 0.0082.</summary>
    private static double Seconds(double milliseconds) => Math.Round(Number(milliseconds) / 1000, 9);

    private static double Number(double value) => double.IsFinite(value) ? value : 0;

    private sealed record Moment(long Timestamp, IReadOnlyList<StationSnapshot> Stations, ServiceFigures Service);
}
