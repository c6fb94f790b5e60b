using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Publishing;
using EdgeInspector.Web;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace EdgeInspector.Tests.Web;

public sealed class WebPageTests
{
    private readonly RecentPictures _pictures = new();
    private StationSnapshot _snapshot = Some.Snapshot();

    [Fact]
    public async Task ThePageNeedsNothingFromOutside()
    {
        await using var server = await StartAsync();
        using var http = Client(server);

        var page = await http.GetStringAsync("/", TestContext.Current.CancellationToken);
        Assert.Contains("<title>EdgeInspector</title>", page);
        foreach (var file in (string[])["/page.css", "/page.js", "/icon.svg"])
        {
            Assert.Contains($"\"{file}\"", page);
            var text = await http.GetStringAsync(file, TestContext.Current.CancellationToken);
            Assert.DoesNotContain("https://", text);
            Assert.DoesNotContain("@import", text);
        }

        Assert.DoesNotContain("http", page.Replace("http-equiv", ""));
        Assert.DoesNotContain("style=", page);
        Assert.DoesNotContain("onclick", page);
    }

    [Fact]
    public async Task EveryAnswerForbidsWhatThePageDoesNotNeed()
    {
        await using var server = await StartAsync();
        using var http = Client(server);

        foreach (var path in (string[])["/", "/page.js", "/v1/stations", "/v1/rejects", "/healthz", "/nowhere"])
        {
            using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.StartsWith("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single());
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    [Fact]
    public async Task StationsAreTheSnapshotsAsJson()
    {
        await using var server = await StartAsync();
        using var http = Client(server);

        var station = (await JsonAsync(http, "/v1/stations"))[0];

        Assert.Equal("biscuit-1", station.GetProperty("station").GetString());
        Assert.Equal("ContinuousExecution", station.GetProperty("state").GetString());
        Assert.Equal(754.5, station.GetProperty("uptime").GetDouble());
        Assert.Equal(510, station.GetProperty("counts").GetProperty("rejected").GetInt64());
        Assert.Equal(310, station.GetProperty("counts").GetProperty("defects").GetProperty("burnt").GetInt64());
        Assert.Equal(8.2, station.GetProperty("decision").GetProperty("p99").GetDouble());
    }

    [Fact]
    public async Task WhatIsNotANumberDoesNotBreakThePage()
    {
        _snapshot = _snapshot with { BeltSpeed = double.NaN, Decision = new LatencyFigures(double.NaN, 1, 1, 1, 1) };
        await using var server = await StartAsync();
        using var http = Client(server);

        var station = (await JsonAsync(http, "/v1/stations"))[0];

        Assert.Equal(JsonValueKind.Null, station.GetProperty("beltSpeed").ValueKind);
        Assert.Equal(JsonValueKind.Null, station.GetProperty("decision").GetProperty("p50").ValueKind);
    }

    [Fact]
    public async Task RejectsAreListedNewestFirstWithTheirPictures()
    {
        _pictures.Offer(Some.Picture(5));
        _pictures.Offer(Some.Picture(6, Verdict.Pass));
        _pictures.Offer(Some.Picture(7, Verdict.NotInspected));
        await using var server = await StartAsync();
        using var http = Client(server);

        var rejects = await JsonAsync(http, "/v1/rejects");

        Assert.Equal([7, 5], rejects.EnumerateArray().Select(r => r.GetProperty("number").GetInt64()));
        var five = rejects[1];
        Assert.Equal("broken", five.GetProperty("label").GetString());
        Assert.Equal(0.97, five.GetProperty("score").GetDouble());
        using var crop = await http.GetAsync(five.GetProperty("crop").GetString(), TestContext.Current.CancellationToken);
        Assert.Equal("image/jpeg", crop.Content.Headers.ContentType?.MediaType);
        Assert.Equal(
            Some.Picture(5).Crop.ToArray(),
            await crop.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)
        );
        Assert.Equal(
            Some.Picture(5).Context.ToArray(),
            await http.GetByteArrayAsync(five.GetProperty("context").GetString(), TestContext.Current.CancellationToken)
        );
    }

    [Theory]
    [InlineData("/v1/rejects/biscuit-1/6/crop.jpg")]
    [InlineData("/v1/rejects/other/5/crop.jpg")]
    [InlineData("/v1/rejects/biscuit-1/x/crop.jpg")]
    [InlineData("/v1/rejects/..%2f..%2fetc/5/passwd")]
    public async Task APictureThatIsNotThereIsNotFound(string path)
    {
        _pictures.Offer(Some.Picture(5));
        await using var server = await StartAsync();
        using var http = Client(server);

        using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task NothingCanBeChangedOverHttp()
    {
        await using var server = await StartAsync();
        using var http = Client(server);

        using var answer = await http.PostAsync("/v1/stations", null, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task AnOpenPageIsToldTheStateAndTheRejects()
    {
        _pictures.Offer(Some.Picture(5));
        await using var server = await StartAsync();
        using var http = Client(server);
        using var stream = await http.GetStreamAsync("/events", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);

        var first = await NextAsync(reader);
        _snapshot = _snapshot with { State = StationState.Error, Fault = "the camera is gone" };
        var second = await NextAsync(reader);

        Assert.Equal("ContinuousExecution", first.GetProperty("stations")[0].GetProperty("state").GetString());
        Assert.Equal(5, first.GetProperty("rejects")[0].GetProperty("number").GetInt64());
        Assert.Equal("the camera is gone", second.GetProperty("stations")[0].GetProperty("fault").GetString());

        // A page that stays open does not hold the stop up.
        await server.StopAsync();
        await reader.ReadToEndAsync(TestContext.Current.CancellationToken).Patiently();

        static async Task<JsonElement> NextAsync(StreamReader reader)
        {
            while (true)
            {
                var line = await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().Patiently();
                if (line?.StartsWith("data: ", StringComparison.Ordinal) == true)
                {
                    return JsonDocument.Parse(line[6..]).RootElement;
                }
            }
        }
    }

    [Theory]
    [InlineData(StationState.ContinuousExecution, HttpStatusCode.OK)]
    [InlineData(StationState.Ready, HttpStatusCode.OK)]
    [InlineData(StationState.Preoperational, HttpStatusCode.ServiceUnavailable)]
    [InlineData(StationState.Halted, HttpStatusCode.ServiceUnavailable)]
    [InlineData(StationState.Error, HttpStatusCode.ServiceUnavailable)]
    internal async Task ReadinessFollowsTheState(StationState state, HttpStatusCode expected)
    {
        _snapshot = _snapshot with { State = state };
        await using var server = await StartAsync();
        using var http = Client(server);

        using var answer = await http.GetAsync("/readyz", TestContext.Current.CancellationToken);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task AStationThatIsNotReadyIsNamedWithItsReason()
    {
        _snapshot = _snapshot with { State = StationState.Error, Fault = "/dev/video0 is gone" };
        await using var server = await StartAsync();
        using var http = Client(server);
        using var answer = await http.GetAsync("/readyz", TestContext.Current.CancellationToken);

        Assert.Equal(
            """{"healthy":false,"reasons":["biscuit-1 is Error: /dev/video0 is gone"]}""",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task WithoutAStationNothingIsReady()
    {
        await using var server = new WebServer(
            new WebOptions { Address = "http://127.0.0.1:0" },
            _pictures,
            () => [],
            NullLoggerFactory.Instance
        );
        await server.StartAsync(TestContext.Current.CancellationToken);
        using var http = Client(server);
        using var answer = await http.GetAsync("/readyz", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }

    [Fact]
    public async Task AForeignHostNameIsRefusedSoThatOtherPagesCannotReadThisOne()
    {
        await using var server = await StartAsync();
        using var http = Client(server);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/stations") { Headers = { Host = "evil.example" } };

        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task ABusyPortIsNamedInOneLine()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;

        var e = await Assert.ThrowsAsync<SettingException>(() => StartAsync($"http://127.0.0.1:{port}"));

        Assert.Equal($"Web:Address: port {port} is in use on 127.0.0.1; choose another, or 0 for a free one", e.Message);
    }

    [Theory]
    [InlineData("http://0.0.0.0:8080", "can be reached from other machines and the page has no login")]
    [InlineData("http://192.168.1.7:8080", "can be reached from other machines and the page has no login")]
    [InlineData("http://[::]:8080", "can be reached from other machines and the page has no login")]
    [InlineData("https://127.0.0.1:8080", "is not of the form")]
    [InlineData("127.0.0.1:8080", "is not of the form")]
    [InlineData("http://127.0.0.1:8080/path", "is not of the form")]
    [InlineData("http://station.example:8080", "is not an IP address")]
    public void AddressesThatWillNotDoAreRefusedWithTheReason(string address, string reason)
    {
        Assert.False(new WebOptions { Address = address }.TryParse(out _, out _, out var fault));
        Assert.StartsWith("Web:Address", fault);
        Assert.Contains(reason, fault);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", false)]
    [InlineData("http://localhost:8080/", false)]
    [InlineData("http://[::1]:0", false)]
    [InlineData("http://0.0.0.0:8080", true)]
    public void LoopbackIsAllowedAndMoreOnlyWhenAskedFor(string address, bool allowRemote) =>
        Assert.True(new WebOptions { Address = address, AllowRemote = allowRemote }.TryParse(out _, out _, out _));

    [Fact]
    public void OnlyTheLastPicturesAreKept()
    {
        for (var n = 1; n <= 100; n++)
        {
            _pictures.Offer(Some.Picture(n));
        }

        Assert.Equal(RecentPictures.Capacity, _pictures.Newest().Count);
        Assert.Equal(100, _pictures.Newest()[0].Number);
        Assert.Null(_pictures.Find("biscuit-1", 100 - RecentPictures.Capacity));
        Assert.NotNull(_pictures.Find("biscuit-1", 101 - RecentPictures.Capacity));
    }

    private static HttpClient Client(WebServer server) => new() { BaseAddress = new Uri(server.Url!) };

    private static async Task<JsonElement> JsonAsync(HttpClient http, string path) =>
        JsonDocument.Parse(await http.GetStringAsync(path, TestContext.Current.CancellationToken)).RootElement;

    private async Task<WebServer> StartAsync(string address = "http://127.0.0.1:0")
    {
        var server = new WebServer(
            new WebOptions { Address = address },
            _pictures,
            () => [_snapshot],
            NullLoggerFactory.Instance
        );
        await server.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }
}
