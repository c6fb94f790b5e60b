using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text;
using System.Text.Json;
using EdgeInspector.Configuration;
using EdgeInspector.Control;
using EdgeInspector.EndToEnd.Support;
using EdgeInspector.Hosting;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Publishing;
using EdgeInspector.Web;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Xunit;

namespace EdgeInspector.EndToEnd;

/// <summary>Commands to a whole line at work, through real brokers and a real web server.</summary>
public sealed class CommandTests : IDisposable
{
    private const string Root = "ei/v1/enterprise/site/area/line/biscuit-1/";

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<Role, string> _tokens = [];
    private int _next;

    public CommandTests()
    {
        var lines = new StringBuilder();
        foreach (var role in Enum.GetValues<Role>())
        {
            var (token, line) = TokenFile.Create($"a-{role}", role);
            _tokens[role] = token;
            lines.Append(line).Append('\n');
        }

        _folder.Write("tokens", lines.ToString(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task ACommandOverAPlantsBrokerIsDoneOnceAndAnswered()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Mosquitto);
        await using var host = await StartAsync(broker.Port, "Control:TrustBrokerRoles=true");
        await Until(host, snapshot => snapshot.State == StationState.ContinuousExecution);
        await using var reader = await Reader.ConnectAsync(broker, Root + "reply/+");
        var pause = Payload("p-1");

        // Until it is answered: a command that is sent twice is done once.
        await reader.SayUntilAsync(Root + "cmd/pause", pause, Root + "reply/panel", all => all.Count > 0);
        await reader.SayUntilAsync(Root + "cmd/dance", Payload("d-1"), Root + "reply/panel", Heard("unknown-verb"));
        await reader.SayUntilAsync(Root + "cmd/arm", "garbage", Root + "reply/panel", Heard("malformed"));
        await reader.SayUntilAsync(Root + "cmd/arm", new string('x', 50_000), Root + "reply/panel", Heard("too-large"));
        await reader.SayUntilAsync(Root + "cmd/mute", pause, Root + "reply/panel", Heard("id-reused"));

        Assert.Equal(StationState.Ready, host.Snapshots()[0].State);
        var reply = JsonDocument.Parse(reader.Messages[0].Text).RootElement;
        Assert.Equal("accepted", reply.GetProperty("outcome").GetString());
        Assert.Equal("p-1", reply.GetProperty("id").GetString());
        Assert.Equal("c-1", reader.Messages[0].Correlation);
        Assert.Equal(1, host.Commands.Figures.Of(RefusalCode.Done));

        static Func<IReadOnlyList<Heard>, bool> Heard(string code) =>
            all => all.Any(message => message.Text.Contains($"\"{code}\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TheStationsOwnBrokerSaysWhoCommandsAndLetsInByRole()
    {
        var options = Options(null, "Broker:Enabled=true", "Broker:Port=0", "Mqtt:Enabled=true", "Mqtt:Username=station");
        (options.Mqtt.Port, options.Mqtt.Password) = (0, "of-the-station");
        await using var host = new InspectionHost(options, NullLoggerFactory.Instance, TimeProvider.System);
        host.AddBrokerUser("station", "of-the-station", isStation: true);
        host.AddBrokerUser("vera", "of-vera");
        host.AddBrokerUser("otto", "of-otto", Role.Operator);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await Until(host, snapshot => snapshot.Broker == "connected" && snapshot.State == StationState.ContinuousExecution);

        Assert.False(await TrySayAsync(host, "nobody", "", "cmd/pause"));
        Assert.False(await TrySayAsync(host, "vera", "of-otto", "cmd/pause"));
        Assert.False(await TrySayAsync(host, "vera", "of-vera", "cmd/pause"));
        Assert.False(await TrySayAsync(host, "otto", "of-otto", "cmd/threshold"));
        Assert.False(await TrySayAsync(host, "otto", "of-otto", "cmd/dance"));
        Assert.False(await TrySayAsync(host, "otto", "of-otto", "state"));
        Assert.Equal(StationState.ContinuousExecution, host.Snapshots()[0].State);
        Assert.True(await TrySayAsync(host, "otto", "of-otto", "cmd/pause"));
        await Until(host, snapshot => snapshot.State == StationState.Ready);
        await host.DisposeAsync();

        // Who it was is what the broker knows, whatever the message says.
        var command = Assert.Single(
            AuditLog.Tail(CommandDesk.FolderOf(_folder.Path), DateTimeOffset.MinValue),
            entry => entry.Kind == AuditKind.Command
        );
        Assert.Equal(("otto", Role.Operator, "mqtt"), (command.Who, command.Role, command.Via));
    }

    [Fact]
    public async Task ABrokerThatNobodyVouchedForCommandsNothing()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Mosquitto);
        await using var host = await StartAsync(broker.Port);
        await Until(host, snapshot => snapshot.State == StationState.ContinuousExecution);
        await using var reader = await Reader.ConnectAsync(broker, Root + "reply/+");

        await reader.SayUntilAsync(Root + "cmd/pause", Payload("p-1"), Root + "reply/panel", all => all.Count > 0);

        Assert.Contains("\"closed\"", reader.Messages[0].Text, StringComparison.Ordinal);
        Assert.Equal(StationState.ContinuousExecution, host.Snapshots()[0].State);
    }

    [Fact]
    public async Task TheLineIsRunOverHttp()
    {
        await using var host = await StartAsync(
            null,
            "Stations:0:Recipe:Name=plain",
            "Stations:0:Recipe:LowestThreshold=0.3",
            "Stations:0:Recipe:HighestThreshold=0.7",
            "Stations:0:Recipes:0:Name=butter"
        );
        await Until(host, snapshot => snapshot.Counts.Rejected > 0 && snapshot.Counts.Parts > 10);
        using var http = Http(host);

        Assert.Equal("done", await CodeAsync(http, Role.Engineer, "threshold", """{"threshold":0.6}"""));
        Assert.Equal("limit", await CodeAsync(http, Role.Engineer, "threshold", """{"threshold":0.9}"""));
        Assert.Equal("role", await CodeAsync(http, Role.Qa, "threshold", """{"threshold":0.6}"""));
        Assert.Equal("not-found", await CodeAsync(http, Role.Operator, "recipe", """{"recipe":"rusk"}"""));
        Assert.Equal("not-found", await CodeAsync(http, Role.Operator, "acknowledge", """{"alarm":"ghost"}"""));
        Assert.Equal("done", await CodeAsync(http, Role.Operator, "mute"));

        var (code, reply) = await SendAsync(http, Role.Operator, "picture");
        Assert.Equal("done", code);
        var part = reply.GetProperty("result").GetProperty("resultId").GetString()!;
        await Until(host, _ => host.Ledger.Read(new LedgerQuery { Id = part }).Any());
        Assert.Equal("done", await CodeAsync(http, Role.Qa, "label", $$"""{"resultId":"{{part}}","label":"hole","note":"seen at the bin"}"""));
        Assert.Equal("not-found", await CodeAsync(http, Role.Qa, "label", $$"""{"resultId":"{{part}}","label":"dragon"}"""));
        Assert.Equal("not-found", await CodeAsync(http, Role.Qa, "label", """{"resultId":"biscuit-1/x/1","label":"hole"}"""));
        var label = Assert.Single(new LabelBook(_folder.Path).All());
        Assert.Equal((part, "hole", "a-Qa"), (label.ResultId, label.Label, label.By));

        (code, reply) = await SendAsync(http, Role.Qa, "challenge", """{"pieces":[{"label":"hole","count":1}]}""");
        Assert.Equal("done", code);
        Assert.EndsWith("/c1", reply.GetProperty("result").GetProperty("challenge").GetString(), StringComparison.Ordinal);
        Assert.Equal("state", await CodeAsync(http, Role.Qa, "challenge"));
        Assert.Equal("state", await CodeAsync(http, Role.Engineer, "threshold", """{"threshold":0.6}"""));

        Assert.Equal("done", await CodeAsync(http, Role.Operator, "recipe", """{"recipe":"butter"}"""));
        Assert.Equal("done", await CodeAsync(http, Role.Operator, "pause"));
        Assert.Equal(StationState.Ready, host.Snapshots()[0].State);
        await host.DisposeAsync();
        var report = AuditVerification.Walk(
            CommandDesk.FolderOf(_folder.Path),
            DeviceIdentity.Of(_folder.Path),
            [AuditLog.ReadAnchor(Path.Combine(_folder.Path, "audit.anchor"))!.Value]
        );
        Assert.True(report.IsSound, report.Fault);
    }

    [Fact]
    public async Task NoCommandFiresAnEjectorUnlessTheKeyAtThePanelIsTurned()
    {
        // No parts: whatever moves an ejector is a command.
        await using var host = await StartAsync(null, "Stations:0:Virtual:DefectRate=0", "Stations:0:Virtual:PartsPerSecond=0.01");
        await Until(host, snapshot => snapshot.State == StationState.ContinuousExecution);
        using var http = Http(host);
        for (var lane = 0; lane < 8; lane++)
        {
            Assert.Equal("maintenance", await CodeAsync(http, Role.Admin, "fire", $$"""{"lane":{{lane}}}"""));
        }

        await CodeAsync(http, Role.Admin, "pause");
        Assert.Equal("maintenance", await CodeAsync(http, Role.Admin, "fire", """{"lane":0}"""));
        var before = host.Commands.Figures.Of(RefusalCode.Done);
        Assert.Equal("maintenance", await CodeAsync(http, Role.Admin, "fire", """{"lane":0}"""));
        Assert.Equal("done", await CodeAsync(http, Role.Admin, "arm"));
        Assert.Equal("maintenance", await CodeAsync(http, Role.Admin, "fire", """{"lane":0}"""));
        Assert.Equal(1, host.Commands.Figures.Of(RefusalCode.Done) - before);
    }

    [Fact]
    public async Task APauseARecipeAndAThresholdOutliveARestart()
    {
        string[] settings =
        [
            "Stations:0:Virtual:PartsPerSecond=0.01", // A belt that runs empty, as a changeover needs.
            "Stations:0:Recipe:Name=plain",
            "Stations:0:Recipes:0:Name=butter",
            "Stations:0:Recipes:0:LowestThreshold=0.3",
            "Stations:0:Recipes:0:HighestThreshold=0.7",
        ];
        await using (var host = await StartAsync(null, settings))
        {
            await Until(host, snapshot => snapshot.State == StationState.ContinuousExecution);
            using var http = Http(host);
            Assert.Equal("done", await CodeAsync(http, Role.Operator, "pause"));
            Assert.Equal("done", await CodeAsync(http, Role.Operator, "recipe", """{"recipe":"butter"}"""));
            await Until(host, snapshot => snapshot.Recipe == "butter");
            await UntilDone(http, Role.Engineer, "threshold", """{"threshold":0.42}""");
        }

        await using (var host = await StartAsync(null, settings))
        {
            await Until(host, snapshot => snapshot.State == StationState.Ready && snapshot.Frames > 20);
            Assert.Equal((StationState.Ready, "butter"), (host.Snapshots()[0].State, host.Snapshots()[0].Recipe));
            using var http = Http(host);
            var (_, reply) = await SendAsync(http, Role.Engineer, "threshold", """{"threshold":0.5}""");
            Assert.Contains("before 0.42", reply.GetProperty("text").GetString(), StringComparison.Ordinal);
            Assert.Equal("done", await CodeAsync(http, Role.Operator, "arm"));
        }

        await using (var host = await StartAsync(null, settings))
        {
            await Until(host, snapshot => snapshot.State == StationState.ContinuousExecution);
        }
    }

    [Fact]
    public async Task ALatchedStopHoldsTheLineAfterARestartUntilSomebodyAcknowledgesIt()
    {
        // Every part is a reject, so the line stops itself after a few.
        string[] settings = ["Stations:0:Virtual:DefectRate=1", "Stations:0:Recipe:ConsecutiveRejectLimit=3", "Stations:0:Alarms:runaway-rejects:StopLine=true"];
        await using (var host = await StartAsync(null, settings))
        {
            await Until(host, snapshot => snapshot.Alarms.Any(alarm => alarm.Code == AlarmCode.RunawayRejects) && snapshot.State == StationState.Ready);
        }

        await using (var host = await StartAsync(null, [.. settings, "Stations:0:Virtual:PartsPerSecond=0.01"]))
        {
            await Until(host, snapshot => snapshot.State == StationState.Ready && snapshot.Frames > 20);
            var alarm = Assert.Single(host.Snapshots()[0].Alarms, alarm => alarm.Code == AlarmCode.RunawayRejects);
            Assert.Equal(AlarmSeverity.Stop, alarm.Severity);
            Assert.False(host.Snapshots()[0].IsHealthy);
            using var http = Http(host);
            var (code, reply) = await SendAsync(http, Role.Operator, "arm");
            Assert.Equal("state", code);
            Assert.Contains("runaway-rejects", reply.GetProperty("text").GetString(), StringComparison.Ordinal);
            Assert.Equal("done", await CodeAsync(http, Role.Operator, "acknowledge", """{"alarm":"runaway-rejects"}"""));
            await Until(host, snapshot => snapshot.IsHealthy == true);
            Assert.Equal(StationState.Ready, host.Snapshots()[0].State); // To acknowledge is not to start.
            Assert.Equal("done", await CodeAsync(http, Role.Operator, "arm"));
        }
    }

    [Fact]
    public async Task PicturesSentToBeInspectedCostTheLineNothing()
    {
        await using var host = await StartAsync(null, "Web:Inspect:Enabled=true");
        await Until(host, snapshot => snapshot.State == StationState.ContinuousExecution);
        using var http = Http(host);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[Role.Operator]);
        var picture = await File.ReadAllBytesAsync(
            Directory.EnumerateFiles(Path.Combine(EdgeInspectorProgram.FactoryPackage, "golden"), "*.jpg").First(),
            TestContext.Current.CancellationToken
        );
        var inspected = 0;
        while (host.Snapshots()[0].Counts.Parts < 60)
        {
            using var content = new ByteArrayContent(picture);
            content.Headers.ContentType = new("image/jpeg");
            using var answer = await http.PostAsync("/v1/inspect", content, TestContext.Current.CancellationToken);
            inspected += answer.StatusCode == HttpStatusCode.OK ? 1 : 0;
        }

        // How fast the line was is measured elsewhere, on a machine that does nothing else; here nothing of it is lost.
        var counts = host.Snapshots()[0].Counts;
        Assert.True(inspected > 0);
        Assert.Equal((0L, 0L), (counts.Late, counts.Unaccounted));
    }

    [Fact]
    public async Task SecretsAreNowhereToBeReadAgain()
    {
        const string Secret = "PLANTED";
        using var log = new Recorder();
        var recent = new RecentLog(TimeProvider.System);
        using var logs = LoggerFactory.Create(logging => logging.AddProvider(log).AddProvider(recent).SetMinimumLevel(LogLevel.Trace));
        var options = Options(null, "Stations:0:Camera:Source=virtual:", "Broker:Enabled=true", "Broker:Port=0", "Mqtt:Enabled=true", "Mqtt:Username=station");
        (options.Mqtt.Port, options.Mqtt.Password) = (0, Secret + "-of-the-station");
        await using var host = new InspectionHost(options, logs, TimeProvider.System, recent);
        host.AddBrokerUser("station", Secret + "-of-the-station", isStation: true);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await Until(host, snapshot => snapshot.Broker == "connected" && snapshot.Counts.Parts > 3);

        // Whatever option can hold a text is given one with a secret, as the settings that are shown would have it.
        Plant(options, "Options", $"rtsp://user:{Secret}@camera/stream?token={Secret}&password={Secret}");
        options.Broker.Users.Add(new() { Name = "anna", PasswordHash = "pbkdf2-sha512$1$" + Secret });
        ((ILogger)logs.CreateLogger("camera")).Log(
            LogLevel.Warning,
            default,
            $"cannot open rtsp://user:{Secret}@camera/stream?token={Secret}, password={Secret}",
            null,
            (text, _) => text
        );
        using var http = Http(host);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "ei_" + Secret);
        using (await http.PostAsync("/v1/commands", new StringContent("{}", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken))
        {
        }

        var (_, reply) = await SendAsync(http, Role.Engineer, "diagnostics");
        var path = reply.GetProperty("result").GetProperty("path").GetString()!;
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[Role.Engineer]);
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var files = await UnpackAsync(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.Equal(
            ["alarms.txt", "commands.txt", "disk.txt", "ledger.txt", "log.txt", "settings.txt", "state.json", "versions.txt"],
            files.Keys.Select(name => name.Split('/')[1]).Order(StringComparer.Ordinal)
        );
        Assert.All(files, file => Assert.DoesNotContain(Secret, file.Value, StringComparison.Ordinal));
        Assert.Contains("Stations:0:Camera:Source=rtsp://***@camera/stream?***", files["edge-inspector/settings.txt"], StringComparison.Ordinal);
        Assert.All(files, file => Assert.DoesNotContain("could not be made", file.Value, StringComparison.Ordinal));

        var state = await http.GetStringAsync("/v1/stations", TestContext.Current.CancellationToken);
        await host.DisposeAsync();
        Assert.DoesNotContain(Secret, state, StringComparison.Ordinal);
        Assert.DoesNotContain(log.Lines, line => line.Contains(Secret, StringComparison.Ordinal) && !line.Contains("cannot open rtsp", StringComparison.Ordinal));
        foreach (var token in _tokens.Values)
        {
            Assert.DoesNotContain(log.Lines, line => line.Contains(token, StringComparison.Ordinal));
            foreach (var (_, audit) in AuditChain.Files(CommandDesk.FolderOf(_folder.Path)))
            {
                Assert.DoesNotContain(token, await File.ReadAllTextAsync(audit, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            }
        }
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<Dictionary<string, string>> UnpackAsync(Stream bundle)
    {
        var files = new Dictionary<string, string>();
        await using var zip = new GZipStream(bundle, CompressionMode.Decompress);
        await using var tar = new TarReader(zip);
        while (await tar.GetNextEntryAsync(copyData: true) is { } entry)
        {
            using var text = new StreamReader(entry.DataStream!);
            files[entry.Name] = await text.ReadToEndAsync();
        }

        return files;
    }

    private static void Plant(object options, string path, string text)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetIndexParameters().Length > 0 || property.GetMethod is null)
            {
                continue;
            }

            if (property.PropertyType == typeof(string) && property.SetMethod is not null)
            {
                // What the test itself lives on stays.
                if (property.Name is not ("DataFolder" or "Name"))
                {
                    property.SetValue(options, text);
                }
            }
            else if (property.GetValue(options) is System.Collections.IEnumerable list and not string)
            {
                foreach (var one in list)
                {
                    if (one is { } && one.GetType().Namespace!.StartsWith("EdgeInspector", StringComparison.Ordinal))
                    {
                        Plant(one, path, text);
                    }
                }
            }
            else if (property.GetValue(options) is { } inner && inner.GetType() is { IsClass: true } type && type.Namespace!.StartsWith("EdgeInspector", StringComparison.Ordinal))
            {
                Plant(inner, path + property.Name, text);
            }
        }
    }

    private static async Task Until(InspectionHost host, Func<StationSnapshot, bool> reached)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!reached(host.Snapshots()[0]))
        {
            Assert.False(host.Completion.IsFaulted, host.Completion.Exception?.ToString());
            try
            {
                await timer.WaitForNextTickAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                var last = host.Snapshots()[0];
                Assert.Fail($"still {last.State} with {last.Recipe}, broker {last.Broker}, {last.Counts.Parts} parts, alarms {string.Join(", ", last.Alarms.Select(a => a.Name))}");
            }
        }
    }

    private async Task UntilDone(HttpClient http, Role role, string verb, string arguments)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await CodeAsync(http, role, verb, arguments) != "done")
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private static string Payload(string id) => $$"""{"id":"{{id}}","expiresAt":"{{TimeProvider.System.GetUtcNow().AddSeconds(60):O}}"}""";

    private async Task<string?> CodeAsync(HttpClient http, Role role, string verb, string? arguments = null) =>
        (await SendAsync(http, role, verb, arguments)).Code;

    private async Task<(string? Code, JsonElement Reply)> SendAsync(HttpClient http, Role role, string verb, string? arguments = null)
    {
        var body = $"{{\"station\":\"biscuit-1\",\"verb\":\"{verb}\",{Payload($"c-{++_next}")[1..^1]}{(arguments is null ? "" : $",\"arguments\":{arguments}")}}}";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/commands") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[role]);
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var reply = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        return (reply.GetProperty("code").GetString(), reply);
    }

    /// <summary>Publishes as a user of the station's own broker; whether it was let in.</summary>
    private static async Task<bool> TrySayAsync(InspectionHost host, string user, string password, string suffix)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var connected = await client.ConnectAsync(
            new MqttClientOptionsBuilder()
                .WithProtocolVersion(MqttProtocolVersion.V500)
                .WithTcpServer("127.0.0.1", host.BrokerPort!.Value)
                .WithCredentials(user, password)
                .Build(),
            TestContext.Current.CancellationToken
        );
        if (connected.ResultCode != MqttClientConnectResultCode.Success)
        {
            return false;
        }

        var published = await client.PublishAsync(
            new MqttApplicationMessageBuilder()
                .WithTopic(Root + suffix)
                .WithPayload(Payload($"{user}-1"))
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
                .WithUserProperty("user", "the boss"u8.ToArray())
                .WithUserProperty("role", "Admin"u8.ToArray())
                .Build(),
            TestContext.Current.CancellationToken
        );
        return published.ReasonCode == MqttClientPublishReasonCode.Success;
    }

    private static HttpClient Http(InspectionHost host) => new() { BaseAddress = new Uri(host.PageUrl!) };

    private async Task<InspectionHost> StartAsync(int? port, params string[] settings)
    {
        var host = new InspectionHost(Options(port, settings), NullLoggerFactory.Instance, TimeProvider.System);
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    private EdgeInspectorOptions Options(int? port, params string[] more)
    {
        List<string> settings =
        [
            $"DataFolder={_folder.Path}",
            "Plant:Enterprise=enterprise",
            "Plant:Site=site",
            "Plant:Area=area",
            "Plant:Line=line",
            "Stations:0:Name=biscuit-1",
            "Stations:0:Camera:Source=virtual:",
            "Stations:0:Sensors:EntryEyes:0:Pin=20",
            "Stations:0:Sensors:ConfirmEyes:0:Pin=21",
            "Stations:0:Belt:Encoder:Pin=22",
            "Stations:0:Belt:Encoder:CountsPerMillimetre=10",
            "Stations:0:Reject:Ejectors:0:Pin=10",
            "Stations:0:Virtual:Seed=21",
            "Stations:0:Virtual:DefectRate=0.3",
            $"Stations:0:Model:Package={EdgeInspectorProgram.FactoryPackage}",
            "Web:Address=http://127.0.0.1:0",
            $"Web:TokenFile={Path.Combine(_folder.Path, "tokens")}",
            .. port is null
                ? (string[])["Mqtt:Enabled=false"]
                : [$"Mqtt:Port={port}", $"Mqtt:Username={TestBroker.StationName}", "Mqtt:ReconnectDelay=50ms", "Mqtt:MaxReconnectDelay=200ms"],
            .. more,
        ];
        var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(
            new ConfigurationInputs { ProgramFile = null, MachineFolder = null, Settings = settings, Environment = new Dictionary<string, string>() }
        );
        Assert.Empty(loaded.Faults);
        loaded.Value.Mqtt.Password = TestBroker.StationPassword;
        return loaded.Value;
    }

    /// <summary>Every line that was logged, at any level.</summary>
    private sealed class Recorder : ILoggerProvider, ILogger
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

        public IEnumerable<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue(formatter(state, exception) + exception);

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
