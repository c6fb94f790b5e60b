using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeInspector.Line;
using EdgeInspector.Vision;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeInspector.Web;

/// <summary>
/// The endpoints for programs: commands, health, bundles, pictures to inspect. Each needs a token but the two of health.
/// Sizes are checked before anything is read, roles before anything is done.
/// </summary>
internal sealed class WebApi : IDisposable
{
    /// <summary>Largest body of a command, bytes; it is a payload, a station and a verb.</summary>
    private const int CommandBytes = 17 * 1024;

    private readonly WebOptions _options;
    private readonly WebServices _services;
    private readonly TokenFile? _tokens;
    private readonly FailureLimit _failures;
    private readonly PictureInspector? _inspector;

    /// <summary>Reads the tokens.</summary>
    /// <exception cref="SettingException">The token file cannot be used; one line.</exception>
    public WebApi(WebOptions options, WebServices services, TimeProvider time)
    {
        (_options, _services) = (options, services);
        _tokens = options.TokenFile is { } file ? new TokenFile(file) : null;
        _failures = new FailureLimit(time);
        _inspector = options.Inspect.Enabled && services.ModelPackage is { } package ? new PictureInspector(package) : null;
    }

    /// <summary>Maps the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/commands", (Delegate)CommandAsync);
        routes.MapGet("/v1/audit/head", AuditHead);
        routes.MapGet("/v1/diagnostics/{name}", Bundle);
        if (_inspector is not null)
        {
            routes.MapPost("/v1/inspect", (Delegate)InspectAsync);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _inspector?.Dispose();

    private async Task<IResult> CommandAsync(HttpContext context)
    {
        if (_services.TakeCommand is not { } take || _services.RefuseCommand is not { } refuse)
        {
            return Results.NotFound();
        }

        Allow(context, CommandBytes);
        var nobody = new CommandArrival("", "", default, new CommandOrigin("nobody", Role.Viewer, "http"));
        if (Holder(context, out var answer) is not { } holder)
        {
            refuse(nobody, "", "anonymous", "no token, or one that nobody has");
            return answer!;
        }

        var arrival = nobody with { Origin = new CommandOrigin(holder.Name, holder.Role, "http") };
        if (context.Request.ContentType?.Split(';')[0].Trim() is not "application/json")
        {
            return Reply(refuse(arrival, "", "malformed", "the content type must be application/json"));
        }

        if (await ReadAsync(context, CommandBytes).ConfigureAwait(false) is not { } body)
        {
            return Reply(refuse(arrival, "", "too-large", $"a command has at most {CommandBytes} bytes"));
        }

        if (!TrySplit(body, out var station, out var verb, out var payload))
        {
            return Reply(refuse(arrival, "", "malformed", "not the JSON of a command: an object with station, verb, id and expiresAt"));
        }

        return Reply(await take(arrival with { Station = station, Verb = verb, Payload = payload }).ConfigureAwait(false));
    }

    private IResult AuditHead(HttpContext context) =>
        Holder(context, out var answer) is null ? answer!
        : _services.AuditHead is { } head ? Results.Text(head() + "\n")
        : Results.NotFound();

    private IResult Bundle(HttpContext context, string name)
    {
        if (Holder(context, out var answer) is not { } holder)
        {
            return answer!;
        }

        return holder.Role < Role.Engineer ? Trouble(StatusCodes.Status403Forbidden, "needs the role engineer")
            : _services.FindBundle(name) is { } path ? Results.File(path, "application/gzip", name)
            : Results.NotFound();
    }

    private async Task<IResult> InspectAsync(HttpContext context)
    {
        Allow(context, CommandBytes);
        if (Holder(context, out var answer) is not { } holder)
        {
            return answer!;
        }

        if (holder.Role < Role.Operator)
        {
            return Trouble(StatusCodes.Status403Forbidden, "needs the role operator");
        }

        var limits = _options.Inspect;
        var type = context.Request.ContentType?.Split(';')[0].Trim();
        var isJson = type == "application/json";
        if (!isJson && type is not ("image/jpeg" or "image/png"))
        {
            return Trouble(
                StatusCodes.Status415UnsupportedMediaType,
                "send image/jpeg, image/png, or application/json with one input of datatype BYTES in base 64"
            );
        }

        // Base 64 takes four bytes for three, and the JSON around it a few hundred.
        var most = isJson ? (limits.MaximumBytes / 3 * 4) + 4096 : limits.MaximumBytes;
        if (await ReadAsync(context, most).ConfigureAwait(false) is not { } body)
        {
            return Trouble(StatusCodes.Status413PayloadTooLarge, $"a picture has at most {limits.MaximumBytes} bytes (Web:Inspect:MaximumBytes)");
        }

        string? id = null;
        var picture = isJson ? KServe.PictureOf(body, out id) : body;
        if (picture is null)
        {
            return Trouble(
                StatusCodes.Status400BadRequest,
                "not a request: {\"inputs\":[{\"name\":\"image\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"<base 64>\"]}]}"
            );
        }

        if (picture.Length > limits.MaximumBytes)
        {
            return Trouble(StatusCodes.Status413PayloadTooLarge, $"a picture has at most {limits.MaximumBytes} bytes (Web:Inspect:MaximumBytes)");
        }

        if (!PictureHeader.TryRead(picture, out var width, out var height))
        {
            return Trouble(StatusCodes.Status400BadRequest, "neither a whole JPEG nor a whole PNG");
        }

        if ((long)width * height > limits.MaximumPixels)
        {
            return Trouble(
                StatusCodes.Status413PayloadTooLarge,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{width} x {height} pixels are more than {limits.MaximumPixels} (Web:Inspect:MaximumPixels)"
                )
            );
        }

        if (_inspector!.TryInspect(picture) is not { } inspecting)
        {
            context.Response.Headers.RetryAfter = "1";
            return Trouble(StatusCodes.Status503ServiceUnavailable, "another picture is being inspected; one at a time");
        }

        try
        {
            var inspected = await inspecting.WaitAsync(limits.Timeout, context.RequestAborted).ConfigureAwait(false);
            return Results.Content(KServe.Answer(inspected, id).ToJsonString(), "application/json");
        }
        catch (TimeoutException)
        {
            context.Response.Headers.RetryAfter = "5";
            return Trouble(StatusCodes.Status503ServiceUnavailable, "the line needs the processor; try again later");
        }
        catch (InvalidDataException e)
        {
            return Trouble(StatusCodes.Status400BadRequest, e.Message);
        }
        catch (VisionException e)
        {
            return Trouble(StatusCodes.Status503ServiceUnavailable, e.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>Whose token the request carries; otherwise the answer to give.</summary>
    private TokenHolder? Holder(HttpContext context, out IResult? answer)
    {
        answer = null;
        var header = context.Request.Headers.Authorization;
        const string Bearer = "Bearer ";
        if (
            header is [{ Length: < 512 } text]
            && text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            && _tokens?.Find(text[Bearer.Length..].Trim()) is { } holder
        )
        {
            return holder;
        }

        if (_failures.Enter(context.Connection.RemoteIpAddress))
        {
            context.Response.Headers.RetryAfter = "60";
            answer = Trouble(StatusCodes.Status429TooManyRequests, "too many wrong tokens");
            return null;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        answer = Trouble(
            StatusCodes.Status401Unauthorized,
            _tokens is null ? "no tokens are set up (Web:TokenFile)" : "needs a token: Authorization: Bearer ei_..."
        );
        return null;
    }

    /// <summary>
    /// Lets a body through, which the server does nowhere else. Also where it will not be read: otherwise the server would break
    /// the connection off behind the answer.
    /// </summary>
    private static void Allow(HttpContext context, int most) =>
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = most + 1;

    /// <summary>The body; null when it is larger than allowed, of which no more than that is read.</summary>
    private static async Task<byte[]?> ReadAsync(HttpContext context, int most)
    {
        if (context.Request.ContentLength > most)
        {
            context.Response.Headers.Connection = "close"; // What comes is not read.
            return null;
        }

        Allow(context, most);
        var body = new ArrayBufferWriter<byte>((int)(context.Request.ContentLength ?? 4096) + 1);
        try
        {
            while (true)
            {
                var read = await context.Request.Body.ReadAsync(body.GetMemory(4096), context.RequestAborted).ConfigureAwait(false);
                if (read == 0)
                {
                    return body.WrittenSpan.ToArray();
                }

                body.Advance(read);
                if (body.WrittenCount > most)
                {
                    context.Response.Headers.Connection = "close";
                    return null;
                }
            }
        }
        catch (BadHttpRequestException)
        {
            context.Response.Headers.Connection = "close";
            return null;
        }
    }

    /// <summary>Takes station and verb out of a command; what is left is the payload, as it would come over MQTT.</summary>
    private static bool TrySplit(byte[] body, out string station, out string verb, out byte[] payload)
    {
        (station, verb, payload) = ("", "", []);
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            if (
                json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("station", out var name)
                || name.ValueKind != JsonValueKind.String
                || !json.RootElement.TryGetProperty("verb", out var deed)
                || deed.ValueKind != JsonValueKind.String
            )
            {
                return false;
            }

            (station, verb) = (name.GetString()!, deed.GetString()!);
            var rest = new ArrayBufferWriter<byte>(body.Length);
            using (var writer = new Utf8JsonWriter(rest))
            {
                writer.WriteStartObject();
                foreach (var property in json.RootElement.EnumerateObject())
                {
                    if (property.Name is not ("station" or "verb"))
                    {
                        property.WriteTo(writer);
                    }
                }

                writer.WriteEndObject();
            }

            payload = rest.WrittenSpan.ToArray();
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or EncoderFallbackException or ArgumentException)
        {
            // InvalidOperation and Argument: text that is no UTF-16, such as half a surrogate pair.
            return false;
        }
    }

    private static IResult Reply(CommandReply reply) =>
        Results.Json(
            reply,
            WebJson.Default.CommandReply,
            statusCode: (reply.Outcome, reply.Code) switch
            {
                (CommandOutcome.Accepted, _) => StatusCodes.Status200OK,
                (CommandOutcome.Failed, _) => StatusCodes.Status500InternalServerError,
                (_, "role") => StatusCodes.Status403Forbidden,
                (_, "too-large") => StatusCodes.Status413PayloadTooLarge,
                (_, "malformed" or "invalid") => StatusCodes.Status400BadRequest,
                (_, "unknown-verb" or "unknown-station" or "not-found") => StatusCodes.Status404NotFound,
                (_, "busy" or "audit") => StatusCodes.Status503ServiceUnavailable,
                _ => StatusCodes.Status409Conflict,
            }
        );

    private static IResult Trouble(int status, string text) =>
        Results.Content(new JsonObject { ["error"] = text }.ToJsonString(), "application/json", Encoding.UTF8, status);
}
