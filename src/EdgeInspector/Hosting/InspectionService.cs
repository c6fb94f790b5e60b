using EdgeInspector.Configuration;

namespace EdgeInspector.Hosting;

/// <summary>
/// Puts the inspection under the generic host: started before READY is told, stopped on SIGTERM, and its exit code is not
/// zero when anything failed. (A background service that faults on its own would let the host stop with 0, and systemd
/// would not restart it.)
/// </summary>
internal sealed class InspectionService(
    EdgeInspectorOptions options,
    ILoggerFactory logs,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    RecentLog? recentLog = null
) : IHostedService, IAsyncDisposable
{
    private readonly ILogger _log = logs.CreateLogger<InspectionService>();
    private InspectionHost? _host;
    private Task _watch = Task.CompletedTask;

    /// <summary>What the process is to exit with; read it after the host has stopped.</summary>
    public int ExitCode { get; private set; }

    /// <summary>What it runs; null before the start and after the stop.</summary>
    public InspectionHost? Inspection => _host;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _host = new InspectionHost(options, logs, time, recentLog);
        try
        {
            await _host.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await _host.DisposeAsync().ConfigureAwait(false);
            _host = null;
            throw;
        }

        _watch = WatchAsync(_host);
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _host, null) is { } host)
        {
            await host.DisposeAsync().ConfigureAwait(false);
            await _watch.ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None).ConfigureAwait(false);

    private async Task WatchAsync(InspectionHost host)
    {
        try
        {
            await host.Completion.ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            // The one place that everything unforeseen reaches: say it, and let the process end with a code that restarts it.
            ExitCode = 1;
            _log.Failed(fault, fault.Message);
        }

        lifetime.StopApplication();
    }
}
