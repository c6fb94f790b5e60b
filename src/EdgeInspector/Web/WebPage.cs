using System.Net.ServerSentEvents;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Web;

/// <summary>
/// The page and what feeds it. Reads snapshots and pictures, changes nothing. Each request is cheap and none can hold
/// up an inspection.
/// </summary>
internal static class WebPage
{
    private const string Jpeg = "image/jpeg";

    /// <summary>How often an open page is told what is new.</summary>
    private static readonly TimeSpan UpdateInterval = TimeSpan.FromSeconds(1);

    private static readonly (string Path, string Resource, string ContentType)[] Files =
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/page.css", "page.css", "text/css; charset=utf-8"),
        ("/page.js", "page.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
    ];

    /// <summary>Maps the page at <c>/</c>, its data under <c>/v1</c> and <c>/events</c>, <c>/healthz</c> and <c>/readyz</c>.</summary>
    public static void Map(
        IEndpointRouteBuilder routes,
        RecentPictures pictures,
        Func<IReadOnlyList<StationSnapshot>> snapshots,
        Func<IReadOnlyList<string>> unresponsive,
        TimeProvider? time = null
    )
    {
        foreach (var (path, resource, contentType) in Files)
        {
            var bytes = Resource(resource);
            routes.MapGet(
                path,
                (HttpContext context) =>
                {
                    // A new version of the service must not meet the script of the old one.
                    context.Response.Headers.CacheControl = "no-cache";
                    return Results.Bytes(bytes, contentType);
                }
            );
        }

        routes.MapGet("/v1/stations", () => Json(snapshots(), WebJson.Default.IReadOnlyListStationSnapshot));
        routes.MapGet("/v1/rejects", () => Json(Entries(pictures), WebJson.Default.IReadOnlyListRejectEntry));
        routes.MapGet(
            "/v1/rejects/{station}/{number:long}/crop.jpg",
            (HttpContext context, string station, long number) =>
                Picture(context, pictures.Find(station, number), picture => picture.Crop)
        );
        routes.MapGet(
            "/v1/rejects/{station}/{number:long}/context.jpg",
            (HttpContext context, string station, long number) =>
                Picture(context, pictures.Find(station, number), picture => picture.Context)
        );
        routes.MapGet(
            "/events",
            (HttpContext context, IHostApplicationLifetime lifetime) =>
                TypedResults.ServerSentEvents(
                    Updates(
                        pictures,
                        snapshots,
                        time ?? TimeProvider.System,
                        lifetime.ApplicationStopping,
                        context.RequestAborted
                    )
                )
        );
        // Healthy: a restart would not help. Ready: parts are inspected, or would be if the line were armed.
        routes.MapGet("/healthz", () => Answer(unresponsive()));
        routes.MapGet("/readyz", () => Answer(Unready(snapshots())));
    }

    private static List<string> Unready(IReadOnlyList<StationSnapshot> stations)
    {
        List<string> reasons = stations.Count == 0 ? ["no station runs"] : [];
        reasons.AddRange(
            stations
                .Where(s => s.State is not (StationState.ContinuousExecution or StationState.SingleExecution or StationState.Ready))
                .Select(s => $"{s.Station} is {s.State}{(s.Fault is null ? string.Empty : ": " + s.Fault)}")
        );
        reasons.AddRange(stations.Where(s => s.IsHealthy == false && s.Fault is null).Select(s => $"{s.Station}: its Healthy output is off"));
        return reasons;
    }

    private static IResult Answer(IReadOnlyList<string> reasons) =>
        Results.Json(
            new Health(reasons.Count == 0, reasons),
            WebJson.Default.Health,
            statusCode: reasons.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable
        );

    private static async IAsyncEnumerable<SseItem<string>> Updates(
        RecentPictures pictures,
        Func<IReadOnlyList<StationSnapshot>> snapshots,
        TimeProvider time,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken gone = default
    )
    {
        using var timer = new PeriodicTimer(UpdateInterval, time);
        // A stop of the server ends the stream at once; otherwise it would hold the stop up.
        await using var stop = stopping.Register(timer.Dispose).ConfigureAwait(false);
        do
        {
            var update = new PageUpdate(snapshots(), Entries(pictures));
            yield return new SseItem<string>(JsonSerializer.Serialize(update, WebJson.Default.PageUpdate))
            {
                ReconnectionInterval = UpdateInterval,
            };
        } while (await timer.WaitForNextTickAsync(gone).ConfigureAwait(false));
    }

    private static IReadOnlyList<RejectEntry> Entries(RecentPictures pictures) =>
        [
            .. pictures
                .Newest()
                .Select(p => new RejectEntry(
                    p.PartId,
                    p.Station,
                    p.Number,
                    p.Verdict,
                    p.Label,
                    p.Score,
                    p.TakenAt,
                    PathOf(p, "crop.jpg"),
                    PathOf(p, "context.jpg")
                )),
        ];

    // Numbers begin again with each run of the service; the time tells the runs apart in a browser's cache.
    private static string PathOf(EvidencePicture p, string file) =>
        $"/v1/rejects/{Uri.EscapeDataString(p.Station)}/{p.Number}/{file}?t={p.TakenAt.ToUnixTimeMilliseconds()}";

    private static IResult Picture(
        HttpContext context,
        EvidencePicture? picture,
        Func<EvidencePicture, ReadOnlyMemory<byte>> part
    )
    {
        if (picture is null)
        {
            return Results.NotFound();
        }

        context.Response.Headers.CacheControl = "private, max-age=3600";
        return Results.Bytes(part(picture), Jpeg);
    }

    private static IResult Json<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        Results.Json(value, type);

    private static byte[] Resource(string name)
    {
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream("page/" + name)
            ?? throw new InvalidOperationException($"The page's {name} is not in the assembly.");
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
