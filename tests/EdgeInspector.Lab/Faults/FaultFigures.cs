using System.Globalization;

namespace EdgeInspector.Lab.Faults;

/// <summary>What repetitions of the faults came to, by name: one check each, in the order in which names first came.</summary>
internal sealed class FaultFigures
{
    private readonly List<(string Name, string Kind, double Limit, List<double> Values)> _figures = [];

    /// <summary>A time that depends on the machine, and the most it may be.</summary>
    public void Time(string name, double value, double limit) => Add(name, LabCheck.Timing, value, limit);

    /// <summary>A count of what must not be.</summary>
    public void None(string name, double value) => Add(name, LabCheck.Correctness, value, 0);

    /// <summary>A count of what must not be, each in words.</summary>
    public void None(string name, IReadOnlyCollection<string> faults)
    {
        foreach (var fault in faults)
        {
            LabReport.Tell($"  {name}: {fault}");
        }

        None(name, faults.Count);
    }

    /// <summary>The worst of each figure held against its limit; of times the median, too, where there are several.</summary>
    public IReadOnlyList<LabCheck> Checks()
    {
        List<LabCheck> checks = [];
        foreach (var (name, kind, limit, values) in _figures)
        {
            if (kind == LabCheck.Timing && values.Count > 1)
            {
                var sorted = values.Order().ToArray();
                checks.Add(LabCheck.AtMost(Of(name, "median of", values.Count), sorted[sorted.Length / 2], limit, kind));
                checks.Add(LabCheck.AtMost(Of(name, "worst of", values.Count), sorted[^1], limit, kind));
            }
            else
            {
                checks.Add(LabCheck.AtMost(name, kind == LabCheck.Timing ? values[0] : values.Sum(), limit, kind));
            }
        }

        return checks;
    }

    private static string Of(string name, string what, int count) => string.Create(CultureInfo.InvariantCulture, $"{name} ({what} {count})");

    private void Add(string name, string kind, double value, double limit)
    {
        var at = _figures.FindIndex(figure => figure.Name == name);
        if (at < 0)
        {
            _figures.Add((name, kind, limit, [value]));
        }
        else
        {
            _figures[at].Values.Add(value);
        }
    }
}
