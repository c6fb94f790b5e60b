using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeInspector.Tests.Support;

/// <summary>What many network cameras are: Motion JPEG over HTTP. It can fall silent, freeze and die.</summary>
internal sealed class MjpegServer : IAsyncDisposable
{
    private readonly WebApplication _web;
    private int _picture;

    private MjpegServer(int port, string? file)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);
        _web = builder.Build();
        _web.MapGet("/stream", StreamAsync);
        if (file is not null)
        {
            _web.MapGet("/file", () => TypedResults.PhysicalFile(file, "video/x-msvideo"));
        }
    }

    /// <summary>Sends the same picture over and over.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>Keeps the connection and sends nothing.</summary>
    public bool IsSilent { get; set; }

    public int Port { get; private set; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/stream");

    /// <summary>A video file, as other cameras send it.</summary>
    public string FileAddress => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/file");

    public static async Task<MjpegServer> StartAsync(int port = 0, string? file = null)
    {
        var server = new MjpegServer(port, file);
        await server._web.StartAsync();
        server.Port = new Uri(server._web.Urls.Single()).Port;
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _web.StopAsync();
        await _web.DisposeAsync();
    }

    private async Task StreamAsync(HttpContext context)
    {
        var ended = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, _web.Lifetime.ApplicationStopping).Token;
        context.Response.ContentType = "multipart/x-mixed-replace;boundary=frame";
        try
        {
            while (!ended.IsCancellationRequested)
            {
                if (!IsSilent)
                {
                    var jpeg = Pictures.Jpeg(IsFrozen ? _picture : ++_picture);
                    var head = $"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.Length}\r\n\r\n";
                    await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes(head), ended);
                    await context.Response.Body.WriteAsync(jpeg, ended);
                    await context.Response.Body.WriteAsync("\r\n"u8.ToArray(), ended);
                    await context.Response.Body.FlushAsync(ended);
                }

                await Task.Delay(10, ended);
            }
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
    }
}
