using Microsoft.Extensions.Logging;

namespace EdgeInspector.Tests.Publishing;

/// <summary>A log that a test can wait on.</summary>
internal sealed class HeardLog<T> : ILogger<T>
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    public async Task<string> WaitForAsync(string part, int times = 1)
    {
        while (true)
        {
            Task next;
            lock (_lock)
            {
                var hits = _lines.Where(line => line.Contains(part, StringComparison.Ordinal)).ToList();
                if (hits.Count >= times)
                {
                    return hits[times - 1];
                }

                next = _next.Task;
            }

            try
            {
                await next.Patiently();
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"'{part}' was not logged; heard: {string.Join(" | ", Lines)}");
            }
        }
    }

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        TaskCompletionSource heard;
        lock (_lock)
        {
            _lines.Add(formatter(state, exception));
            (heard, _next) = (_next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        heard.SetResult();
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;
}
