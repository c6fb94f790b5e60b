using System.Globalization;
using EdgeInspector.Configuration;

namespace EdgeInspector.Hosting;

/// <summary>Keeps the last lines of the log in memory, for the diagnostic bundle. Secrets in addresses are left out.</summary>
internal sealed class RecentLog(TimeProvider time) : ILoggerProvider
{
    /// <summary>A few hours of a station that is well, the last minutes of one that is not.</summary>
    public const int Capacity = 2000;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();

    /// <summary>The lines, oldest first.</summary>
    public IReadOnlyList<string> Lines()
    {
        lock (_gate)
        {
            return [.. _lines];
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held but memory.
    }

    private void Add(string category, LogLevel level, string text)
    {
        var at = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var line = SettingsView.Redact($"{at} {level} {category}: {text}".ReplaceLineEndings(" "));
        lock (_gate)
        {
            _lines.Enqueue(line);
            if (_lines.Count > Capacity)
            {
                _lines.Dequeue();
            }
        }
    }

    private sealed class Category(RecentLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
            {
                log.Add(name, logLevel, exception is null ? formatter(state, null) : $"{formatter(state, exception)} {exception}");
            }
        }
    }
}
