using System.Globalization;
using EdgeInspector.Telemetry;
using Metric = EdgeInspector.Publishing.Sparkplug.Proto.Payload.Types.Metric;

namespace EdgeInspector.Publishing.Sparkplug;

/// <summary>Data types of Sparkplug B, with its own numbers: those that a station needs.</summary>
internal enum SparkplugType
{
    Int64 = 4,
    Double = 10,
    Boolean = 11,

    /// <summary>The specification's String; its Text, 14, is the same to all but a form's designer.</summary>
    Text = 12,
}

/// <summary>One figure of a station. What SCADA tags are called after: slashes make folders, and names are never changed.</summary>
/// <param name="Name">With slashes.</param>
/// <param name="Type">Stays the same for a name.</param>
/// <param name="Value">A long, double, bool or string; null when nobody knows it.</param>
internal readonly record struct SparkplugMetric(string Name, SparkplugType Type, object? Value)
{
    /// <summary>Everything that a station has to say, in one order.</summary>
    public static IEnumerable<SparkplugMetric> Of(StationSnapshot s)
    {
        yield return Text("State/Name", s.State.ToString());
        yield return Text("State/Fault", s.Fault);
        yield return new("State/Healthy", SparkplugType.Boolean, s.IsHealthy);
        yield return Text("State/Camera", s.Camera);
        yield return Text("State/Ledger", s.Ledger);
        yield return new("State/Simulated", SparkplugType.Boolean, s.IsSimulated);
        yield return Text("Recipe", s.Recipe);
        yield return Text("Model/Package", s.Model);
        yield return Text("Model/Provider", s.Provider);
        yield return Count("Alarms/Standing", s.Alarms.Count);
        yield return Text("Alarms/Gravest", s.Alarms.Count > 0 ? s.Alarms[0].Name : null);
        yield return Number("Line/Belt Speed", s.BeltSpeed);
        yield return Number("Line/Parts Per Minute", s.PartsPerMinute);
        yield return Count("Parts/Total", s.Counts.Parts);
        yield return Count("Parts/Passed", s.Counts.Passed);
        yield return Count("Parts/Rejected", s.Counts.Rejected);
        yield return Count("Parts/Not Inspected", s.Counts.NotInspected);
        yield return Count("Parts/Late", s.Counts.Late);
        yield return Count("Parts/Open", s.Counts.Open);
        yield return Count("Parts/Unaccounted", s.Counts.Unaccounted);
        yield return Count("Parts/Challenge", s.Counts.ChallengeParts);
        yield return Count("Entry Eye/Blockages", s.Counts.EntryEye);
        yield return Count("Ejector/Pulses", s.Counts.Pulses);
        yield return Count("Ejector/Confirmed", s.Counts.Confirmed);
        yield return Count("Ejector/Unconfirmed", s.Counts.Unconfirmed);
        yield return Count("Ejector/Unexpected Bin Entries", s.Counts.UnexpectedBinEntries);
        yield return Number("Ejector/Lateness p99", s.Actuation.P99);
        yield return Number("Decision/p50", s.Decision.P50);
        yield return Number("Decision/p99", s.Decision.P99);
        yield return Count("Frames/Inspected", s.Frames);
        yield return Count("Frames/Dropped", s.FramesDropped);
        foreach (var (label, parts) in s.Counts.Defects.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            yield return Count("Defects/" + label, parts);
        }
    }

    /// <summary>Type, time and value; the name or the alias is the caller's.</summary>
    public Metric Encode(ulong at)
    {
        var metric = new Metric { Timestamp = at, Datatype = (uint)Type };
        switch (Value)
        {
            case null:
                metric.IsNull = true;
                break;
            case long whole:
                metric.LongValue = unchecked((ulong)whole);
                break;
            case double real:
                metric.DoubleValue = real;
                break;
            case bool flag:
                metric.BooleanValue = flag;
                break;
            default:
                metric.StringValue = Convert.ToString(Value, CultureInfo.InvariantCulture);
                break;
        }

        return metric;
    }

    private static SparkplugMetric Count(string name, long value) => new(name, SparkplugType.Int64, value);

    private static SparkplugMetric Number(string name, double value) =>
        new(name, SparkplugType.Double, double.IsFinite(value) ? value : null);

    private static SparkplugMetric Text(string name, string? value) => new(name, SparkplugType.Text, value);
}
