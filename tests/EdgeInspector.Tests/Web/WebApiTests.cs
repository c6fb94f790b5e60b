using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EdgeInspector.Control;
using EdgeInspector.Line;
using EdgeInspector.Tests.Control;
using EdgeInspector.Tests.Publishing;
using EdgeInspector.Tests.Support;
using EdgeInspector.Web;
using Microsoft.Extensions.Logging.Abstractions;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Web;

public sealed class WebApiTests : IAsyncDisposable
{
    private readonly Commanding _line = new();
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<Role, string> _tokens = [];
    private readonly WebOptions _options = new() { Address = "http://127.0.0.1:0" };
    private WebServer? _server;
    private HttpClient? _http;

    public WebApiTests()
    {
        var lines = new List<string> { "# who may what" };
        foreach (var role in Enum.GetValues<Role>())
        {
            var (token, line) = TokenFile.Create($"a-{role}", role);
            _tokens[role] = token;
            lines.Add(line);
        }

        _options.TokenFile = _folder.Write("tokens", string.Join('\n', lines), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private HttpClient Http => _http!;

    [Fact]
    public async Task ACommandOverHttpIsTheSameAsOverMqtt()
    {
        await StartAsync();
        using var answer = await SendAsync(Role.Operator, "mute");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var reply = await ReadAsync(answer);
        Assert.Equal("accepted", reply.GetProperty("outcome").GetString());
        Assert.Equal("done", reply.GetProperty("code").GetString());
        Assert.Equal("a-Operator", Assert.Single(_line.Done).Who);
        Assert.Equal("http", _line.Entries.Single(entry => entry.Kind == AuditKind.Command).Via);
    }

    [Fact]
    public async Task NobodyWithoutATokenCommands()
    {
        await StartAsync();
        foreach (var header in (string?[])[null, "Bearer", "Bearer ", "Bearer ei_wrong", "Basic YTpi", $"Bearer {_tokens[Role.Admin]}x", new string('x', 2000)])
        {
            using var request = Request("mute", _line.NextId());
            if (header is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", header);
            }

            using var answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        Assert.Empty(_line.Done);
        Assert.Equal(7, _line.Desk.Figures.Of(RefusalCode.Anonymous));
    }

    [Fact]
    public async Task WhoTriesManyTokensIsSlowedDownAndWhoHasARightOneIsNot()
    {
        await StartAsync();
        HttpStatusCode last = default;
        for (var i = 0; i <= FailureLimit.Most; i++)
        {
            using var request = Request("mute", _line.NextId());
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "ei_guess");
            using var answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);
            last = answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last);
        using var right = await SendAsync(Role.Operator, "pause");
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task WithoutATokenFileNobodyCommands()
    {
        _options.TokenFile = null;
        await StartAsync();
        using var answer = await SendAsync(Role.Admin, "mute");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task ATokenThatIsTakenOutOfTheFileIsGoodNoMore()
    {
        await StartAsync();
        File.WriteAllText(_options.TokenFile!, "# nobody\n");
        using var answer = await SendAsync(Role.Admin, "mute");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("anna operator ei_abc", "line 1")]
    [InlineData("anna boss sha256:0000000000000000000000000000000000000000000000000000000000000000", "line 1")]
    [InlineData("anna 4 sha256:0000000000000000000000000000000000000000000000000000000000000000", "line 1")]
    [InlineData("# ok\nanna admin sha256:00", "line 2")]
    public void ATokenFileThatIsNoneIsRefusedWithoutShowingWhatIsInIt(string text, string told)
    {
        var path = _folder.Write("wrong", text, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var fault = TokenFile.Fault(path);

        Assert.Contains(told, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("ei_abc", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void ATokenFileThatOthersCanReadIsRefused()
    {
        var path = _folder.Write("open", "", UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Contains("chmod 600", TokenFile.Fault(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("viewer", "arm", null, HttpStatusCode.Forbidden)]
    [InlineData("operator", "threshold", """{"threshold":0.5}""", HttpStatusCode.Forbidden)]
    [InlineData("operator", "dance", null, HttpStatusCode.NotFound)]
    [InlineData("engineer", "threshold", """{"threshold":5}""", HttpStatusCode.BadRequest)]
    [InlineData("engineer", "threshold", null, HttpStatusCode.BadRequest)]
    internal async Task WhatIsRefusedHasItsStatus(string role, string verb, string? arguments, HttpStatusCode status)
    {
        await StartAsync();
        using var answer = await SendAsync(Enum.Parse<Role>(role, ignoreCase: true), verb, arguments);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("refused", (await ReadAsync(answer)).GetProperty("outcome").GetString());
        Assert.Empty(_line.Done);
    }

    [Fact]
    public async Task AnExpiredCommandAndAReusedIdAreConflicts()
    {
        await StartAsync();
        using var expired = await SendAsync(Role.Operator, "arm", life: TimeSpan.FromSeconds(-1));
        Assert.Equal(HttpStatusCode.Conflict, expired.StatusCode);
        using var first = await SendAsync(Role.Operator, "arm", id: "same");
        using var second = await SendAsync(Role.Operator, "arm", id: "same");
        using var other = await SendAsync(Role.Operator, "pause", id: "same");
        Assert.Equal(await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), await second.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Conflict, other.StatusCode);
        Assert.Single(_line.Done);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("""{"station":"biscuit-1"}""")]
    [InlineData("""{"station":1,"verb":"arm"}""")]
    [InlineData("""{"station":"biscuit-1","verb":"\ud800"}""")]
    [InlineData("""{"station":"biscuit-1","verb":"arm","verb":"pause","id":"a"}""")]
    [InlineData("""{"station":"biscuit-1","verb":"arm","id":"a","expiresAt":"2026-11-23T14:48:10Z","\ud800":1}""")]
    public async Task GarbageIsRefusedAndCounted(string body)
    {
        await StartAsync();
        using var answer = await PostAsync(_tokens[Role.Admin], body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(1, _line.Desk.Figures.Of(RefusalCode.Malformed));
        Assert.Empty(_line.Done);
    }

    [Fact]
    public async Task ABodyThatIsTooLargeIsNotRead()
    {
        await StartAsync();
        using var sized = await PostAsync(_tokens[Role.Admin], new string(' ', 30_000));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, sized.StatusCode);

        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/commands")
        {
            Content = new StreamContent(new MemoryStream(new byte[3_000_000])),
        };
        request.Headers.TransferEncodingChunked = true;
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[Role.Admin]);
        try
        {
            using var chunked = await Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, chunked.StatusCode);
        }
        catch (HttpRequestException)
        {
            // The server hung up while it was still being sent, as it may.
        }

        Assert.Equal(2, _line.Desk.Figures.Of(RefusalCode.TooLarge));
    }

    [Fact]
    public async Task AFormOfAForeignPageIsNoCommand()
    {
        await StartAsync();
        using var request = Request("arm", "f");
        request.Content!.Headers.ContentType = new("text/plain");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[Role.Admin]);
        using var answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(_line.Done);
    }

    [Fact]
    public async Task TheAuditLogsEndCanBeKeptElsewhere()
    {
        await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/audit/head");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[Role.Viewer]);
        using var answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(_line.Audit.Head, (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Trim());
    }

    [Fact]
    public async Task ABundleIsForEngineersAndNothingElseIsServedUnderItsPath()
    {
        var bundle = DiagnosticBundle.PackInto(_folder.Path, [new("a.txt", () => "a"u8.ToArray())], _line.Time.GetUtcNow());
        await StartAsync();
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(Role.Qa, Path.GetFileName(bundle.Path)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Role.Engineer, Path.GetFileName(bundle.Path)));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(Role.Engineer, "tokens"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(Role.Engineer, "..%2ftokens"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(Role.Engineer, "edge-inspector-..%2f..%2fx.tar.gz"));

        async Task<HttpStatusCode> StatusAsync(Role role, string name)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/diagnostics/" + name);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[role]);
            using var answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task HealthAsksForThreadsAndReadinessForInspection()
    {
        await StartAsync(unresponsive: ["biscuit-1 does not respond"]);
        using var health = await Http.GetAsync("/healthz", TestContext.Current.CancellationToken);
        using var ready = await Http.GetAsync("/readyz", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    [Fact]
    public async Task PicturesToInspectAreOffUnlessAskedFor()
    {
        await StartAsync();
        using var answer = await InspectAsync(Role.Admin, Picture(64, 64), "image/png");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task APictureIsInspectedAndAnsweredLikeKServe()
    {
        _options.Inspect.Enabled = true;
        await StartAsync();
        var picture = GoldenPicture();
        using var plain = await InspectAsync(Role.Operator, picture, "image/jpeg");
        using var json = await InspectAsync(
            Role.Operator,
            Encoding.UTF8.GetBytes(
                $$"""{"id":"p-1","inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["{{Convert.ToBase64String(picture)}}"]}]}"""
            ),
            "application/json"
        );

        Assert.Equal(HttpStatusCode.OK, plain.StatusCode);
        var answer = await ReadAsync(plain);
        var same = await ReadAsync(json);
        Assert.Equal("biscuit", answer.GetProperty("model_name").GetString()!.Split('-', ' ')[0]);
        Assert.Equal("p-1", same.GetProperty("id").GetString());
        Assert.Equal(answer.GetProperty("outputs").GetRawText(), same.GetProperty("outputs").GetRawText());
        var outputs = answer.GetProperty("outputs").EnumerateArray().ToDictionary(output => output.GetProperty("name").GetString()!);
        var parts = answer.GetProperty("parameters").GetProperty("parts").GetInt32();
        Assert.True(parts > 0);
        Assert.Equal([parts, 4], outputs["boxes"].GetProperty("shape").EnumerateArray().Select(n => n.GetInt32()));
        Assert.Equal(4 * parts, outputs["boxes"].GetProperty("data").GetArrayLength());
        Assert.All(outputs["verdicts"].GetProperty("data").EnumerateArray(), verdict => Assert.Contains(verdict.GetString(), (string[])["pass", "reject"]));
        Assert.Contains(answer.GetProperty("parameters").GetProperty("verdict").GetString(), (string[])["pass", "reject"]);
    }

    [Fact]
    public async Task WhatIsNoPictureOrTooLargeIsRefusedBeforeItIsDecoded()
    {
        _options.Inspect.Enabled = true;
        _options.Inspect.MaximumBytes = 10_000;
        _options.Inspect.MaximumPixels = 100_000;
        await StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(null, Picture(64, 64), "image/png"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(Role.Viewer, Picture(64, 64), "image/png"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, await StatusAsync(Role.Admin, Picture(64, 64), "image/gif"));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(Role.Admin, "hello"u8.ToArray(), "image/png"));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(Role.Admin, Picture(64, 64)[..^20], "image/png"));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(Role.Admin, "{}"u8.ToArray(), "application/json"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await StatusAsync(Role.Admin, new byte[20_000], "image/png"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await StatusAsync(Role.Admin, Picture(400, 400), "image/png"));

        // A few bytes that say they are ten thousand million pixels.
        var bomb = Picture(64, 64);
        bomb.AsSpan(16, 8).Clear();
        (bomb[17], bomb[21]) = (0x02, 0x02);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await StatusAsync(Role.Admin, bomb, "image/png"));

        async Task<HttpStatusCode> StatusAsync(Role? role, byte[] body, string type)
        {
            using var answer = await InspectAsync(role, body, type);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task OnePictureIsInspectedAtATime()
    {
        _options.Inspect.Enabled = true;
        await StartAsync();
        var picture = GoldenPicture();
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => InspectAsync(Role.Operator, picture, "image/jpeg")));

        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Contains(answers, answer => answer is { StatusCode: HttpStatusCode.ServiceUnavailable, Headers.RetryAfter: not null });
        using var after = await InspectAsync(Role.Operator, picture, "image/jpeg");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Theory]
    [InlineData(".png")]
    [InlineData(".jpg")]
    public void ThePicturesSizeIsReadFromItsHeader(string kind)
    {
        Assert.True(PictureHeader.TryRead(Picture(123, 45, kind), out var width, out var height));
        Assert.Equal((123, 45), (width, height));
    }

    [Theory]
    [InlineData(".png")]
    [InlineData(".jpg")]
    public void NoBytesOfChanceBreakTheHeadersReader(string kind)
    {
        var random = new Random(7);
        var whole = Picture(32, 32, kind);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = whole.ToArray();
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            _ = PictureHeader.TryRead(bytes.AsSpan(0, random.Next(bytes.Length + 1)), out _, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _line.Dispose();
        _folder.Dispose();
    }

    private static byte[] Picture(int width, int height, string kind = ".png")
    {
        using var picture = new Mat(height, width, MatType.CV_8UC3, new Scalar(90, 120, 150));
        Cv2.ImEncode(kind, picture, out var bytes);
        return bytes;
    }

    private static byte[] GoldenPicture() =>
        File.ReadAllBytes(Directory.EnumerateFiles(Path.Combine(FactoryPackage, "golden"), "*.jpg").Order(StringComparer.Ordinal).First());

    private static string FactoryPackage => Path.Combine(Conventions.SourceTree.Root, "firmware-config/models/biscuit");

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;

    private async Task StartAsync(IReadOnlyList<string>? unresponsive = null)
    {
        _server = new WebServer(
            _options,
            new RecentPictures(),
            () => [Publishing.Some.Snapshot()],
            NullLoggerFactory.Instance,
            new WebServices
            {
                TakeCommand = _line.Desk.TakeAsync,
                RefuseCommand = _line.Desk.Refuse,
                Unresponsive = () => unresponsive ?? [],
                FindBundle = name => DiagnosticBundle.Find(_folder.Path, name),
                AuditHead = () => _line.Desk.AuditHead,
                ModelPackage = FactoryPackage,
            },
            _line.Time
        );
        await _server.StartAsync(TestContext.Current.CancellationToken);
        _http = new HttpClient { BaseAddress = new Uri(_server.Url!) };
    }

    private Task<HttpResponseMessage> SendAsync(Role role, string verb, string? arguments = null, string? id = null, TimeSpan? life = null)
    {
        var request = Request(verb, id ?? _line.NextId(), arguments, life);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[role]);
        return Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private HttpRequestMessage Request(string verb, string id, string? arguments = null, TimeSpan? life = null) =>
        new(HttpMethod.Post, "/v1/commands")
        {
            Content = new StringContent(
                $"{{\"station\":\"biscuit-1\",\"verb\":\"{verb}\",{_line.Payload(id, life, arguments)[1..]}",
                Encoding.UTF8,
                "application/json"
            ),
        };

    private async Task<HttpResponseMessage> PostAsync(string token, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/commands")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private async Task<HttpResponseMessage> InspectAsync(Role? role, byte[] body, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/inspect") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new(type);
        if (role is { } known)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[known]);
        }

        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
