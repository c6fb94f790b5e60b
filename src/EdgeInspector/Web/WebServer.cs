using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace EdgeInspector.Web;

/// <summary>
/// Serves the page over HTTP, in a small web host of its own: it shares nothing with the inspecting threads but the
/// snapshots and the pictures it is given.
/// </summary>
internal sealed class WebServer(
    WebOptions options,
    RecentPictures pictures,
    Func<IReadOnlyList<StationSnapshot>> snapshots,
    ILoggerFactory logs,
    WebServices? services = null,
    TimeProvider? time = null
) : IAsyncDisposable
{
    private readonly WebServices _services = services ?? new WebServices();
    private WebApplication? _app;
    private WebApi? _api;

    /// <summary>
    /// Takes MQTT over WebSocket at <c>/mqtt</c>, and returns when the connection has ended; null where there is no broker here. Only
    /// pages of this server are let through to it: a browser sends along where a page is from.
    /// </summary>
    public Func<WebSocket, EndPoint?, Task>? Mqtt { get; init; }

    /// <summary>The instruments for Prometheus, at <c>/metrics</c>: the text and its content type; null where nobody keeps any.</summary>
    public (Func<string> Text, string ContentType)? Metrics { get; init; }

    /// <summary>Where the page is, such as <c>http://127.0.0.1:8080</c>; null before it is served.</summary>
    public string? Url { get; private set; }

    /// <summary>Starts serving.</summary>
    /// <exception cref="SettingException">The address cannot be used or the port is taken; one line.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.TryParse(out var address, out var port, out var fault))
        {
            throw new SettingException(fault);
        }

        _api = new WebApi(options, _services, time ?? TimeProvider.System);
        var app = Build(address, port);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new SettingException(
                e.GetBaseException() switch
                {
                    AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } =>
                        $"Web:Address: port {port} is in use on {address}; choose another, or 0 for a free one",
                    SocketException { SocketErrorCode: SocketError.AccessDenied } =>
                        $"Web:Address: port {port} needs privileges the service does not have; choose one above 1023",
                    SocketException { SocketErrorCode: SocketError.AddressNotAvailable } =>
                        $"Web:Address: {address} is not an address of this machine; choose one that is",
                    var cause => $"Web:Address: cannot listen on {options.Address}: {cause.Message}",
                },
                e
            );
        }

        Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        _app = app;
    }

    /// <summary>Stops serving; open pages say so.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is { } app)
        {
            // An open page's event stream never ends by itself.
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await app.StopAsync(patience.Token).ConfigureAwait(false);
            await app.DisposeAsync().ConfigureAwait(false);
        }

        Interlocked.Exchange(ref _api, null)?.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private WebApplication Build(IPAddress address, int port)
    {
        // The slim builder still reads appsettings.json and ASPNETCORE_* for logging and addresses; the empty one lets
        // nothing but our own options decide.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Listen(address, port);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<ILoggerFactory>(new TroubleOnly(logs));
        // The default lifetime would take SIGTERM and Ctrl-C away from the process that this server is a part of.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddHostFiltering(filter =>
        {
            // Without it, a foreign web page could name its own host as 127.0.0.1 and read ours through the browser.
            filter.AllowEmptyHosts = false;
            filter.AllowedHosts = options.AllowRemote ? ["*"] : ["localhost", "127.0.0.1", "[::1]", address.ToString()];
        });

        var app = builder.Build();
        app.UseHostFiltering();
        app.Use(
            (context, next) =>
            {
                var headers = context.Response.Headers;
                headers.ContentSecurityPolicy =
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
                headers.XContentTypeOptions = "nosniff";
                headers.XFrameOptions = "DENY";
                headers["Referrer-Policy"] = "no-referrer";
                headers["Cross-Origin-Resource-Policy"] = "same-origin";
                headers["Cross-Origin-Opener-Policy"] = "same-origin";
                return next(context);
            }
        );
        app.UseRouting();
        WebPage.Map(app, pictures, snapshots, _services.Unresponsive);
        _api!.Map(app);
        if (Metrics is { } metrics)
        {
            app.MapGet("/metrics", () => Results.Text(metrics.Text(), metrics.ContentType));
        }

        if (Mqtt is { } mqtt)
        {
            app.UseWebSockets();
            app.Map("/mqtt", context => ServeMqttAsync(context, mqtt));
        }

        return app;
    }

    private static async Task ServeMqttAsync(HttpContext context, Func<WebSocket, EndPoint?, Task> mqtt)
    {
        var origin = context.Request.Headers.Origin.ToString();
        var isOurs =
            origin.Length == 0
            || (Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == context.Request.Host.Value);
        if (!context.WebSockets.IsWebSocketRequest || !isOurs || !context.WebSockets.WebSocketRequestedProtocols.Contains("mqtt"))
        {
            context.Response.StatusCode = isOurs ? StatusCodes.Status400BadRequest : StatusCodes.Status403Forbidden;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync("mqtt").ConfigureAwait(false);
        var remote = context.Connection.RemoteIpAddress;
        await mqtt(socket, remote is null ? null : new IPEndPoint(remote, context.Connection.RemotePort)).ConfigureAwait(false);
    }

    /// <summary>Passes on warnings and errors: a page asks for something each second, and nobody reads that.</summary>
    private sealed class TroubleOnly(ILoggerFactory inner) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => new Filter(inner.CreateLogger(categoryName));

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
            // The factory belongs to the process.
        }

        private sealed class Filter(ILogger inner) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => inner.BeginScope(state);

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && inner.IsEnabled(logLevel);

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
                    inner.Log(logLevel, eventId, state, exception, formatter);
                }
            }
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
