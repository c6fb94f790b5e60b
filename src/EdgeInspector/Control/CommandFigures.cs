using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using EdgeInspector.Line;

namespace EdgeInspector.Control;

/// <summary>Counts commands by what came of them. Any thread.</summary>
internal sealed class CommandFigures : IDisposable
{
    private readonly Meter _meter = new("EdgeInspector.Control");
    private readonly Counter<long> _commands;
    private readonly FrozenDictionary<string, Count> _counts = RefusalCode.All.ToFrozenDictionary(code => code, _ => new Count());

    /// <summary>Makes the instrument <c>edgeinspector.commands</c>.</summary>
    public CommandFigures() =>
        _commands = _meter.CreateCounter<long>("edgeinspector.commands", "{command}", "Commands by outcome, reason and way.");

    /// <summary>Commands so far, by reason; those that never came are left out.</summary>
    public IReadOnlyDictionary<string, long> ByCode =>
        _counts
            .Where(pair => pair.Value.Value > 0)
            .OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .ToDictionary(pair => pair.Key, pair => pair.Value.Value);

    /// <summary>How many had this reason.</summary>
    public long Of(string code) => _counts[code].Value;

    /// <summary>Counts one.</summary>
    public void Add(CommandOutcome outcome, string code, string via)
    {
        _counts[code].Increment();
        if (_commands.Enabled)
        {
            _commands.Add(
                1,
                new("outcome", outcome.ToString().ToLowerInvariant()),
                new KeyValuePair<string, object?>("reason", code),
                new KeyValuePair<string, object?>("via", via)
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private sealed class Count
    {
        private long _value;

        public long Value => Interlocked.Read(ref _value);

        public void Increment() => Interlocked.Increment(ref _value);
    }
}
