using System.Diagnostics;
using System.Text.Json;
using EdgeInspector.Publishing;
using EdgeInspector.Publishing.Sparkplug;
using EdgeInspector.Publishing.Sparkplug.Proto;
using EdgeInspector.Telemetry;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

public sealed class SparkplugTests
{
    private readonly SparkplugNode _node = new("acme-lyon-hall2", "l1", "1.2.3");

    [Fact]
    public void TheBirthsSayEverythingByName()
    {
        var will = Payload.Parser.ParseFrom(_node.BeginConnection());
        var births = _node.Births(Look(0));

        Assert.Equal("spBv1.0/acme-lyon-hall2/NDEATH/l1", _node.DeathTopic);
        Assert.False(will.HasSeq);
        Assert.Equal(["spBv1.0/acme-lyon-hall2/NBIRTH/l1", "spBv1.0/acme-lyon-hall2/DBIRTH/l1/biscuit-1"], births.Select(birth => birth.Topic));
        var (node, device) = (Read(births[0]), Read(births[1]));
        Assert.Equal(0ul, node.Seq);
        Assert.Equal(1ul, device.Seq);
        Assert.Equal(will.Metrics.Single().LongValue, node.Metrics.Single(metric => metric.Name == "bdSeq").LongValue);
        Assert.False(node.Metrics.Single(metric => metric.Name == "Node Control/Rebirth").BooleanValue);
        Assert.All(node.Metrics.Concat(device.Metrics), metric => Assert.True(metric.HasName && metric.HasDatatype && metric.HasTimestamp));
        var aliases = node.Metrics.Concat(device.Metrics).Where(metric => metric.HasAlias).Select(metric => metric.Alias).ToList();
        Assert.Equal(aliases.Count, aliases.Distinct().Count());
        Assert.Equal(510ul, device.Metrics.Single(metric => metric.Name == "Parts/Rejected").LongValue);
        Assert.True(device.Metrics.Single(metric => metric.Name == "State/Fault").IsNull);
    }

    [Fact]
    public void OnlyWhatHasChangedIsSaidAndByAlias()
    {
        _node.BeginConnection();
        var born = Read(_node.Births(Look(0))[1]);

        Assert.Empty(_node.Changes(Look(1)));
        var change = Read(Assert.Single(_node.Changes(Look(2, rejected: 511))));

        var metric = Assert.Single(change.Metrics);
        Assert.False(metric.HasName);
        Assert.Equal(born.Metrics.Single(one => one.Name == "Parts/Rejected").Alias, metric.Alias);
        Assert.Equal(511ul, metric.LongValue);
        Assert.False(metric.IsHistorical);
        Assert.Equal(2ul, change.Seq);
    }

    [Fact]
    public void SequenceNumbersRunFrom0To255AndBeginAgain()
    {
        _node.BeginConnection();
        var messages = _node.Births(Look(0)).ToList();
        for (var i = 1; i <= 600; i++)
        {
            messages.AddRange(_node.Changes(Look(i, rejected: i)));
        }

        Assert.Equal(602, messages.Count);
        Assert.Equal(Enumerable.Range(0, 602).Select(i => (ulong)(i % 256)), messages.Select(message => Read(message).Seq));
        Assert.Equal(0ul, Read(_node.Births(Look(601))[0]).Seq);
    }

    [Fact]
    public void EachConnectionHasItsNumberAndARebirthHasTheSame()
    {
        ulong Number(byte[] payload) => Payload.Parser.ParseFrom(payload).Metrics.Single(metric => metric.Name == "bdSeq").LongValue;
        for (var i = 0; i < 300; i++)
        {
            Assert.Equal((ulong)(i % 256), Number(_node.BeginConnection()));
            Assert.Equal((ulong)(i % 256), Number(_node.Births(Look(i))[0].Payload));
            Assert.Equal((ulong)(i % 256), Number(_node.Births(Look(i))[0].Payload));
        }
    }

    [Fact]
    public void WhatHappenedWhileTheBrokerWasAwayIsHistoryAndChangesNothing()
    {
        _node.BeginConnection();
        _node.Births(Look(0));
        _node.BeginConnection();
        _node.Births(Look(100, rejected: 530));

        var past = Read(Assert.Single(_node.Changes(Look(50, rejected: 520))));
        var later = Read(Assert.Single(_node.Changes(Look(60, rejected: 525))));

        Assert.True(Assert.Single(past.Metrics).IsHistorical);
        Assert.Equal(520ul, past.Metrics[0].LongValue);
        Assert.Equal((ulong)Some.Instant.AddSeconds(50).ToUnixTimeMilliseconds(), past.Metrics[0].Timestamp);
        Assert.Equal(525ul, Assert.Single(later.Metrics).LongValue);
        Assert.Empty(_node.Changes(Look(101, rejected: 530)));
    }

    [Fact]
    public void WhatIsNoCommandIsNoRebirth()
    {
        Assert.True(SparkplugNode.AsksForRebirth(AskForRebirth()));
        Assert.False(SparkplugNode.AsksForRebirth("no protobuf at all"u8));
        Assert.False(SparkplugNode.AsksForRebirth([]));
        var random = new Random(5);
        for (var i = 0; i < 10_000; i++)
        {
            var noise = new byte[random.Next(64)];
            random.NextBytes(noise);
            SparkplugNode.AsksForRebirth(noise);
        }
    }

    [Fact]
    public async Task ForeignCodeDecodesThePayloads()
    {
        var will = _node.BeginConnection();
        var births = _node.Births(Look(0));
        var change = _node.Changes(Look(1, rejected: 511))[0];
        const string Script = """
            const { get } = require('sparkplug-payload');
            const spb = get('spBv1.0');
            const lines = require('fs').readFileSync(0, 'utf8').trim().split('\n');
            const plain = (_, v) => v && v.low !== undefined ? Number(v.toString()) : typeof v === 'bigint' ? Number(v) : v;
            console.log(JSON.stringify(lines.map(l => spb.decodePayload(Buffer.from(l, 'hex'))), plain));
            """;
        using var node = Start(Script);
        foreach (var payload in (byte[][])[will, .. births.Select(birth => birth.Payload), change.Payload])
        {
            await node.StandardInput.WriteLineAsync(Convert.ToHexStringLower(payload));
        }

        node.StandardInput.Close();
        var said = await node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var trouble = await node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(trouble.Contains("Cannot find module 'sparkplug-payload'"), "sparkplug-payload is not installed (npm, NODE_PATH)");
        Assert.Equal("", trouble);

        var decoded = JsonDocument.Parse(said).RootElement;
        Assert.Equal("bdSeq", decoded[0].GetProperty("metrics")[0].GetProperty("name").GetString());
        Assert.Equal(0, decoded[1].GetProperty("seq").GetInt32());
        var metrics = decoded[2].GetProperty("metrics").EnumerateArray().ToList();
        JsonElement Named(string name) => metrics.Single(metric => metric.GetProperty("name").GetString() == name);
        Assert.Equal(510, Named("Parts/Rejected").GetProperty("value").GetInt64());
        Assert.Equal("Int64", Named("Parts/Rejected").GetProperty("type").GetString());
        Assert.Equal("ContinuousExecution", Named("State/Name").GetProperty("value").GetString());
        Assert.Equal(0.8, Named("Line/Belt Speed").GetProperty("value").GetDouble());
        Assert.True(Named("State/Simulated").GetProperty("value").GetBoolean());
        var changed = decoded[3].GetProperty("metrics")[0];
        Assert.Equal(511, changed.GetProperty("value").GetInt64());
        Assert.Equal(Named("Parts/Rejected").GetProperty("alias").GetInt64(), changed.GetProperty("alias").GetInt64());
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task AHostGetsBirthsARebirthWhenItAsksHistoryAndADeath(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        var rejected = 510L;
        var host = await Overheard.ConnectAsync(broker, "spBv1.0/#");
        using var stop = new CancellationTokenSource();
        var options = new SparkplugOptions { Interval = TimeSpan.FromMilliseconds(100), HistoryInterval = TimeSpan.FromMilliseconds(100) };
        var link = new SparkplugLink(
            options,
            Overheard.Station(broker),
            Some.Plant,
            () => Look(0, Interlocked.Increment(ref rejected)).Stations,
            "1.2.3",
            TimeProvider.System,
            NullLogger<SparkplugLink>.Instance
        );
        var running = link.RunAsync(stop.Token);

        await host.NextAsync("/NBIRTH/");
        var born = Read((await host.NextAsync("/DBIRTH/")).Payload);
        var alias = born.Metrics.Single(metric => metric.Name == "Parts/Rejected").Alias;
        Assert.Contains(Read((await host.NextAsync("/DDATA/")).Payload).Metrics, metric => metric.Alias == alias);
        await host.SayAsync("spBv1.0/acme-lyon-hall2/NCMD/l1", AskForRebirth());
        Assert.Equal(0ul, Read((await host.NextAsync("/NBIRTH/")).Payload).Seq);

        await broker.KillAsync();
        await host.DisposeAsync();
        // Something happens meanwhile: looks are counted by what they show.
        var before = Interlocked.Read(ref rejected);
        await WaitUntilAsync(() => Interlocked.Read(ref rejected) > before + 3);
        await broker.StartAsync();
        host = await Overheard.ConnectAsync(broker, "spBv1.0/#");
        await host.SayAsync("spBv1.0/acme-lyon-hall2/NCMD/l1", AskForRebirth());
        while (!Read((await host.NextAsync("/DDATA/")).Payload).Metrics.Any(metric => metric.IsHistorical))
        {
            // History comes after the births, before what is new.
        }

        await stop.CancelAsync();
        await host.NextAsync("/NDEATH/");
        await running.Patiently();
        await host.DisposeAsync();
    }

    private static async Task WaitUntilAsync(Func<bool> isSo)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!isSo())
        {
            await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken).AsTask().Patiently();
        }
    }

    private static byte[] AskForRebirth()
    {
        var payload = new Payload();
        payload.Metrics.Add(new Payload.Types.Metric { Name = SparkplugNode.Rebirth, Datatype = 11, BooleanValue = true });
        return payload.ToByteArray();
    }

    private static Process Start(string script)
    {
        Assert.SkipUnless(
            File.Exists("/usr/bin/node") || File.Exists("/usr/local/bin/node"),
            "node is not installed (apt install nodejs)"
        );
        return Process.Start(
            new ProcessStartInfo("node", ["-e", script])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
    }

    private static Payload Read(SparkplugMessage message) => Read(message.Payload);

    private static Payload Read(byte[] payload) => Payload.Parser.ParseFrom(payload);

    private static SparkplugLook Look(int second, long rejected = 510)
    {
        var snapshot = Some.Snapshot();
        return new(Some.Instant.AddSeconds(second), [snapshot with { Counts = snapshot.Counts with { Rejected = rejected } }]);
    }
}
