using System.Text.RegularExpressions;
using EdgeInspector.Configuration;
using EdgeInspector.EndToEnd.Support;
using EdgeInspector.Hosting;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Tests.Publishing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace EdgeInspector.EndToEnd;

public sealed partial class ServiceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task ForeignBrokerReceivesTheSameMessagesAsOurOwn()
    {
        var own = await MessagesAsync(BrokerKind.Embedded);
        var foreign = await MessagesAsync(BrokerKind.Mosquitto);
        Assert.Equal(own.Where(IsEvent), foreign.Where(IsEvent));
        Assert.Equal(own.Select(Kind).Distinct().Order(), foreign.Select(Kind).Distinct().Order());
        Assert.Contains("state", own.Select(Kind));
        Assert.Contains("metrics", own.Select(Kind));
        Assert.Contains("event/inspection", own.Select(Kind));
        Assert.Contains("image/last", own.Select(Kind));

        static bool IsEvent(string message) => message.StartsWith("event/", StringComparison.Ordinal);
        // Which pictures there was time for is the machine's affair; the rest wait on the disk for the next start.
        static string Kind(string message) =>
            message.Split(' ')[0] is var topic && topic.StartsWith("image/*", StringComparison.Ordinal) ? "image/{id}" : topic;
    }

    [Fact]
    public async Task LostBrokerNeverStopsInspectionAndGetsWhatItMissed()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Embedded);
        await using var host = new InspectionHost(Options(broker.Port, partCount: 60), NullLoggerFactory.Instance, TimeProvider.System);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await Until(host, () => host.Snapshots()[0].Counts.Parts >= 10);
        await broker.KillAsync();
        await Until(host, () => host.Snapshots()[0].Counts.Parts >= 40);
        await broker.StartAsync();
        await using var reader = await Reader.ConnectAsync(broker);
        await Until(host, () => host.Lines[0].Finished(TimeProvider.System.GetInstant() - host.Start) && host.Snapshots()[0].Counts.Open == 0);
        var counts = host.Snapshots()[0].Counts;
        Assert.Equal((60L, 0L), (counts.Parts, counts.Unaccounted));

        // Whoever subscribes after the return hears at least the parts of the time without a broker, the last one included.
        await reader.WaitAsync(all => all.Any(m => m.Text.Contains("/60\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task FailingLoopEndsTheProcessWithANonZeroCodeAndOutputsSafe()
    {
        var lifetime = new Lifetime();
        await using var service = new InspectionService(Options(port: null), NullLoggerFactory.Instance, TimeProvider.System, lifetime);
        await service.StartAsync(TestContext.Current.CancellationToken);
        var host = service.Inspection!;
        await Until(host, () => host.Snapshots()[0].Frames > 3);
        host.Lines[0].Dispose(); // The camera's next picture throws what nobody foresaw.
        await lifetime.Stopping.Patiently();
        Assert.Equal(1, service.ExitCode);
        Assert.Equal(Telemetry.StationState.Error, host.Snapshots()[0].State);
    }

    [Fact]
    public async Task EveryPartOfARunIsInTheLedgerAndTheSumsReconcile()
    {
        var options = Options(port: null, partCount: 100);
        var clock = new LockstepClock();
        await using var host = new InspectionHost(options, NullLoggerFactory.Instance, clock);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.Completion.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        var counts = host.Snapshots()[0].Counts;
        await host.DisposeAsync();
        var records = host.Ledger.Read(new LedgerQuery()).ToList();
        Assert.Equal(100, records.Count);
        Assert.Equal(Enumerable.Range(1, 100).Select(number => (long)number), records.Select(record => record.Number).Order());
        Assert.Equal(counts.Rejected, records.Count(record => record.Verdict == Verdict.Reject));
        Assert.Equal(counts.Pulses, records.Count(record => record.Fired));
        Assert.All(records.Where(record => record.Fired), record => Assert.Equal(Confirmation.Confirmed, record.Confirmation));
        Assert.NotNull(Assert.Single(host.Ledger.Runs()).Ended);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<List<string>> MessagesAsync(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var reader = await Reader.ConnectAsync(broker);
        await using var host = new InspectionHost(Options(broker.Port, partCount: 80), NullLoggerFactory.Instance, new LockstepClock());
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.Completion.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        await reader.WaitForAsync("event/inspection", times: 80);
        await reader.WaitForAsync("image/last");
        await reader.WaitAsync(all => all.Any(m => m.Topic.Contains("/image/2", StringComparison.Ordinal)));
        await host.DisposeAsync();

        // The run's start is in the ids and times; everything else must be equal to the letter.
        return
        [
            .. reader.Messages.Select(m =>
                $"{RunStart().Replace(m.Topic.Split("biscuit-1/")[1], "*")} {m.Qos} {m.Retain} {m.ContentType} {Timeless(m)}"),
        ];
    }

    private static string Timeless(Heard message) =>
        message.ContentType == "application/json"
            ? Moment().Replace(RunStart().Replace(message.Text, "*"), "*")
            : "";

    private static async Task Until(InspectionHost host, Func<bool> reached)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!reached())
        {
            Assert.False(host.Completion.IsFaulted, host.Completion.Exception?.ToString());
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private EdgeInspectorOptions Options(int? port, int partCount = 0)
    {
        List<string> settings =
        [
            $"DataFolder={_folder.Path}",
            "Stations:0:Name=biscuit-1",
            "Stations:0:Camera:Source=virtual:",
            "Stations:0:Sensors:EntryEyes:0:Pin=20",
            "Stations:0:Sensors:ConfirmEyes:0:Pin=21",
            "Stations:0:Belt:Encoder:Pin=22",
            "Stations:0:Belt:Encoder:CountsPerMillimetre=10",
            "Stations:0:Reject:Ejectors:0:Pin=10",
            $"Stations:0:Virtual:PartCount={partCount}",
            "Stations:0:Virtual:Seed=21",
            "Stations:0:Virtual:DefectRate=0.3",
            $"Stations:0:Model:Package={EdgeInspectorProgram.FactoryPackage}",
            "Web:Enabled=false",
            .. port is null
                ? (string[])["Mqtt:Enabled=false"]
                : [$"Mqtt:Port={port}", $"Mqtt:Username={TestBroker.StationName}", "Mqtt:MetricsInterval=1s", "Mqtt:ReconnectDelay=50ms", "Mqtt:MaxReconnectDelay=200ms"],
        ];
        var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(
            new ConfigurationInputs { ProgramFile = null, MachineFolder = null, Settings = settings, Environment = new Dictionary<string, string>() }
        );
        Assert.Empty(loaded.Faults);
        loaded.Value.Mqtt.Password = TestBroker.StationPassword;
        return loaded.Value;
    }

    [GeneratedRegex("\\d{8}T\\d{9}Z")]
    private static partial Regex RunStart();

    [GeneratedRegex("\\d{4}-\\d\\d-\\d\\dT[^\"]*|\"[a-zA-Z]*(?:Ms|Milliseconds|Microseconds|Us)\":[-0-9.e]+")]
    private static partial Regex Moment();

    private sealed class Lifetime : IHostApplicationLifetime
    {
        private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Stopping => _stopping.Task;

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.TrySetResult();
    }
}
