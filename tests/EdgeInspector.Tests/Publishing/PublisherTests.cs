using System.Text.Json;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Telemetry;
using MQTTnet.Protocol;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

public sealed class PublisherTests
{
    private const string Root = "ei/v1/acme/lyon/hall2/l1/biscuit-1/";

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task EveryKindOfMessageArrivesAsTheTableSays(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var reader = await Reader.ConnectAsync(broker);
        await using var running = new Running(broker.Port);

        OfferOneOfEach(running);
        await reader.WaitForAsync("image/last");
        await reader.WaitForAsync("event/inspection", 3);
        await reader.WaitForAsync("metrics");
        var messages = await reader.WaitForAsync("Z-5");

        foreach (
            var row in (MessageKind[])[Contract.State, Contract.Metrics, Contract.Inspection, Contract.Image, Contract.LastImage]
        )
        {
            var topic = Root + row.Suffix.Replace("{id}", "20261123T144800Z-5");
            var message = messages.First(m => m.Topic == topic);
            Assert.Equal(row.Qos, message.Qos);
            Assert.Equal(row.Retain, message.Retain);
            Assert.Equal(row.ContentType, message.ContentType);
            Assert.Equal(row.Expiry is not null, message.Expires);
            Assert.Contains($"schema={row.Schema}", message.Properties);
        }
    }

    [Fact]
    public async Task AForeignBrokerReceivesTheSameMessagesAsTheEmbeddedOne()
    {
        var ours = await MessagesThroughAsync(BrokerKind.Embedded);
        var theirs = await MessagesThroughAsync(BrokerKind.Mosquitto);

        Assert.Equal(ours, theirs);
        Assert.Equal(8, ours.Count);

        static async Task<IReadOnlyList<string>> MessagesThroughAsync(BrokerKind kind)
        {
            await using var broker = await TestBroker.StartAsync(kind);
            await using var reader = await Reader.ConnectAsync(broker);
            await using var running = new Running(broker.Port);
            OfferOneOfEach(running);
            await reader.WaitForAsync("event/inspection", 3);
            await reader.WaitForAsync("image/20261123T144800Z-6");
            await reader.WaitForAsync("metrics");
            var messages = await reader.WaitForAsync("image/last");
            return
            [
                .. messages
                    // Whatever may be left of earlier alarms is cleared.
                    .Where(m => !m.Topic.Contains("/alarm/", StringComparison.Ordinal))
                    .Select(m =>
                        $"{m.Topic} {m.Qos} {m.Retain} {m.ContentType} {m.Expires} {m.Properties} "
                        + (m.Topic.EndsWith("/state", StringComparison.Ordinal) ? "" : Convert.ToBase64String(m.Payload)) // Tells of the outbox's work.
                    )
                    .Order(StringComparer.Ordinal),
            ];
        }
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task WhoSubscribesLaterStillSeesStateMetricsAndTheLastReject(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var first = await Reader.ConnectAsync(broker);
        await using var running = new Running(broker.Port);
        OfferOneOfEach(running);
        await first.WaitForAsync("image/last");
        await first.WaitForAsync("metrics");

        await using var late = await Reader.ConnectAsync(broker);
        var messages = await late.WaitAsync(all => all.Count >= 3);

        Assert.Equal(
            [Root + "image/last", Root + "metrics", Root + "state"],
            messages.Take(3).Select(m => m.Topic).Order(StringComparer.Ordinal)
        );
        Assert.All(messages.Take(3), m => Assert.True(m.Retain));
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task AStationThatVanishesIsReportedByTheBroker(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var reader = await Reader.ConnectAsync(broker, Root + "state");
        await using var cable = new Cable(broker.Port);
        await using var running = new Running(cable.Port, o => o.WillDelay = TimeSpan.Zero);
        await reader.WaitForAsync("state");

        cable.Pull();
        var messages = await reader.WaitForAsync("state", 2);

        var will = JsonDocument.Parse(messages[1].Payload).RootElement;
        Assert.False(will.GetProperty("online").GetBoolean());
        Assert.Equal("Unknown", will.GetProperty("state").GetString());
        Assert.True(messages[1].Retain);
        Assert.Contains("schema=ei.state/1", messages[1].Properties);

        cable.Plug();
        messages = await reader.WaitForAsync("state", 3);
        Assert.True(JsonDocument.Parse(messages[2].Payload).RootElement.GetProperty("online").GetBoolean());
    }

    [Fact]
    public async Task ABriefLossOfTheNetworkRaisesNoAlarm()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Mosquitto);
        await using var reader = await Reader.ConnectAsync(broker, Root + "state");
        await using var cable = new Cable(broker.Port);
        await using var running = new Running(cable.Port, o => o.WillDelay = TimeSpan.FromSeconds(20));
        await reader.WaitForAsync("state");

        cable.Pull();
        await running.Log.WaitForAsync("cannot publish");
        cable.Plug();
        var messages = await reader.WaitForAsync("state", 2);

        Assert.All(messages, m => Assert.True(JsonDocument.Parse(m.Payload).RootElement.GetProperty("online").GetBoolean()));
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task ACleanStopLeavesAHaltedStateBehind(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var reader = await Reader.ConnectAsync(broker, Root + "#");
        var running = new Running(broker.Port);
        await reader.WaitForAsync("state");
        for (var n = 1; n <= 40; n++)
        {
            running.Offer(Some.Record(n));
        }

        await running.DisposeAsync();
        var messages = await reader.WaitForAsync("state", 2);

        var last = JsonDocument.Parse(messages.Last(m => m.Topic.EndsWith("state")).Payload).RootElement;
        Assert.Equal("Halted", last.GetProperty("state").GetString());
        Assert.False(last.GetProperty("online").GetBoolean());
        Assert.Equal(40, messages.Count(m => m.Topic.EndsWith("inspection")));
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task ARefusedLoginIsReportedAndTriedAgain(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var running = new Running(broker.Port, o => o.Password = "wrong");

        await running.Log.WaitForAsync("refused the login");

        Assert.Contains("check Mqtt:Username and Mqtt:PasswordFile", running.Publisher.BrokerState);
        Assert.False(running.Task.IsCompleted);
        Assert.DoesNotContain(running.Log.Lines, line => line.Contains("wrong"));

        running.Options.Password = TestBroker.StationPassword;
        await running.Log.WaitForAsync("publishes to");
        Assert.Equal("connected", running.Publisher.BrokerState);
    }

    [Fact]
    public async Task ABrokerThatIsNotThereIsNamedInOneLine()
    {
        var port = Mosquitto.FreePort();
        await using var running = new Running(port);

        await running.Log.WaitForAsync("cannot publish");

        Assert.Equal($"cannot reach 127.0.0.1:{port}: Connection refused", running.Publisher.BrokerState);
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task RecordsOfAnOutageArriveInOrderWhenTheBrokerIsBack(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var cable = new Cable(broker.Port);
        await using var running = new Running(cable.Port);
        await running.Log.WaitForAsync("publishes to");

        cable.Pull();
        await broker.KillAsync();
        for (var n = 1; n <= 500; n++)
        {
            running.Offer(Some.Record(n));
        }

        await running.Log.WaitForAsync("cannot publish");
        Assert.NotEqual("connected", running.Publisher.BrokerState);
        await broker.StartAsync();
        await using var reader = await Reader.ConnectAsync(broker, Root + "event/#");
        cable.Plug();
        var messages = await reader.WaitForAsync("inspection", 500);

        Assert.Equal(Enumerable.Range(1, 500).Select(n => (long)n), messages.Select(NumberOf));
        Assert.Equal(0, running.Publisher.Shed);
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task ACutConnectionLosesNoRecordAndRepeatsKeepTheirId(BrokerKind kind)
    {
        const int Count = 3000;
        await using var broker = await TestBroker.StartAsync(kind);
        await using var cable = new Cable(broker.Port);
        // What counts is the way to the broker. Mosquitto before 2.0.13 loses count of what a QoS 1 reader may have in
        // flight and then waits for its next ping (eclipse-mosquitto/mosquitto#2362).
        await using var reader = await Reader.ConnectAsync(
            broker,
            Root + "event/#",
            MqttQualityOfServiceLevel.AtMostOnce
        );
        await using var running = new Running(cable.Port);

        for (var n = 1; n <= Count; n++)
        {
            running.Offer(Some.Record(n));
            if (n % 600 == 0)
            {
                // In the middle of the stream: some are on the wire, some acknowledged, some neither.
                await reader.WaitAsync(all => all.Count >= n - 500);
                cable.Pull();
                cable.Plug();
            }
        }

        var messages = await reader.WaitAsync(all => all.Select(NumberOf).Distinct().Count() >= Count);

        Assert.Equal(Enumerable.Range(1, Count).Select(n => (long)n), messages.Select(NumberOf).Distinct());
        Assert.Equal(0, running.Publisher.Shed);
    }

    [Fact]
    public async Task ABrokerThatNoLongerAnswersIsLeftAndNothingIsLost()
    {
        await using var broker = await Mosquitto.StartWithAsync(string.Empty);
        await using var reader = await Reader.ConnectAsync(broker, Root + "event/#");
        await using var running = new Running(broker.Port, o => o.AnswerTimeout = TimeSpan.FromMilliseconds(300));
        await running.Log.WaitForAsync("publishes to");

        await broker.FreezeAsync();
        for (var n = 1; n <= 100; n++)
        {
            running.Offer(Some.Record(n));
        }

        await running.Log.WaitForAsync("did not answer within 0.3 s");
        await broker.ThawAsync();
        var messages = await reader.WaitAsync(all => all.Select(NumberOf).Distinct().Count() >= 100);

        Assert.Equal(Enumerable.Range(1, 100).Select(n => (long)n), messages.Select(NumberOf).Distinct());
        Assert.Equal(0, running.Publisher.Shed);
    }

    [Theory]
    [InlineData("state")]
    [InlineData("event/inspection")]
    public async Task ATopicThatTheBrokerForbidsIsNamedAndItsRecordsAreKept(string forbidden)
    {
        using var folder = new TemporaryFolder();
        var rules = string.Concat(
            Contract
                .All.Where(row => row.Suffix != forbidden)
                .Select(row => $"topic write {Root}{row.Filter}\n")
        );
        var list = folder.Write("acl", $"user {TestBroker.StationName}\n{rules}");
        await using var broker = await Mosquitto.StartWithAsync($"acl_file {list}");
        await using var running = new Running(broker.Port);

        running.Offer(Some.Record(1));
        await running.Log.WaitForAsync($"refused {Root}{forbidden} (NotAuthorized); check the broker's access list");

        Assert.Equal(0, running.Publisher.Shed);
        Assert.Equal(0, running.Publisher.Acknowledged);
    }

    [Fact]
    public async Task AHostThatDoesNotExistIsNamedInOneLine()
    {
        await using var running = new Running(1883, o => o.Host = "broker.invalid");

        await running.Log.WaitForAsync("cannot publish");

        Assert.Equal("cannot reach broker.invalid:1883: no such host name", running.Publisher.BrokerState);
    }

    [Fact]
    public async Task APictureTooLargeForTheBrokerIsMadeSmaller()
    {
        var large = Some.Jpeg(1600, 1200);
        await using var broker = await Mosquitto.StartWithAsync("max_packet_size 40000");
        await using var reader = await Reader.ConnectAsync(broker);
        await using var running = new Running(broker.Port);
        Assert.True(large.Length > 100_000);

        running.Offer(Some.Picture(1) with { Crop = large });
        var messages = await reader.WaitForAsync("Z-1");
        await reader.WaitForAsync("image/last");

        var picture = messages.Single(m => m.Topic.EndsWith("Z-1", StringComparison.Ordinal));
        Assert.InRange(picture.Payload.Length, 5_000, 40_000);
        using var decoded = Cv2.ImDecode(picture.Payload, ImreadModes.Color);
        Assert.Equal(1600 / 1200.0, decoded.Width / (double)decoded.Height, 0.02);
        Assert.Equal(0, running.Publisher.Shed);
    }

    [Fact]
    public async Task APictureThatCannotBeMadeToFitIsShedToldAndTheConnectionLives()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Embedded);
        await using var reader = await Reader.ConnectAsync(broker);
        await using var running = new Running(broker.Port);

        running.Offer(Some.Picture(1, Verdict.Late, bytes: 2_000_000));
        running.Offer(Some.Picture(2));
        await reader.WaitForAsync("Z-2");
        var messages = await reader.WaitForAsync("event/gap");

        Assert.Equal(1, running.Publisher.Shed);
        Assert.Contains(
            "\"kind\":\"Pictures\",\"count\":1,\"why\":\"larger than the broker takes\"",
            messages.Single(m => m.Topic.EndsWith("gap", StringComparison.Ordinal)).Text
        );
        Assert.Equal("connected", running.Publisher.BrokerState);
        Assert.Single(running.Log.Lines, line => line.Contains("biscuit-1 publishes to"));
    }

    [Fact]
    public async Task AlarmsStandOnTheirTopicsAndAreTakenBack()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Mosquitto);
        var alarm = Some.Alarm(AlarmCode.BinFull, Some.Instant);
        var snapshot = Some.Snapshot() with { Alarms = [alarm] };
        await using var running = new Running(broker.Port, snapshots: () => [Volatile.Read(ref snapshot)]);
        await using var reader = await Reader.ConnectAsync(broker, Root + "alarm/bin-full");

        var messages = await reader.WaitAsync(all => all.Any(m => m.Payload.Length > 0));
        Assert.Contains("\"state\":\"ActiveUnacknowledged\"", messages[^1].Text);
        Volatile.Write(ref snapshot, snapshot with { Alarms = [alarm with { State = AlarmState.ActiveAcknowledged }] });
        await reader.WaitAsync(all => all[^1].Text.Contains("ActiveAcknowledged", StringComparison.Ordinal));
        Volatile.Write(ref snapshot, snapshot with { Alarms = [] });
        await reader.WaitAsync(all => all[^1].Payload.Length == 0);

        await using var late = await Reader.ConnectAsync(broker, Root + "+");
        Assert.DoesNotContain(await late.WaitForAsync("state"), m => m.Topic.Contains("alarm", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task ARequestIsHandledAndAnsweredWhereItAsks(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var reader = await Reader.ConnectAsync(broker, Root + "reply/+");
        await using var running = new Running(
            broker.Port,
            prepare: publisher =>
                publisher.Handle(
                    Contract.Command,
                    (request, _) =>
                    {
                        publisher.Reply(
                            request,
                            Some.Reply(request.Station, request.Parameter!)
                        );
                        return Task.CompletedTask;
                    }
                )
        );
        await running.Log.WaitForAsync("biscuit-1 publishes to");
        await reader.SayUntilAsync(
            Root + "cmd/arm",
            "{\"id\":\"1\"}",
            Root + "reply/panel-7",
            all => all.Any(m => m.Topic == Root + "reply/panel-7")
        );
        // Anywhere else the station does not go.
        await reader.SayUntilAsync(
            Root + "cmd/pause",
            "{\"id\":\"2\"}",
            Root + "state",
            all => all.Any(m => m.Topic == Root + "reply/all" && m.Text.Contains("pause", StringComparison.Ordinal))
        );

        Assert.Contains(reader.Messages, m => m.Topic == Root + "reply/panel-7" && m.Correlation == "c-1");
    }

    [Fact]
    public async Task ARetainedCommandIsNotDone()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Mosquitto);
        await using var reader = await Reader.ConnectAsync(broker, Root + "reply/+");
        await reader.SayAsync(Root + "cmd/arm", "{\"id\":\"1\"}", null, retain: true);
        var done = new List<string?>();
        await using var running = new Running(
            broker.Port,
            prepare: publisher =>
                publisher.Handle(
                    Contract.Command,
                    (request, _) =>
                    {
                        done.Add(request.Parameter);
                        publisher.Reply(
                            request,
                            Some.Reply(request.Station, "pause")
                        );
                        return Task.CompletedTask;
                    }
                )
        );
        await running.Log.WaitForAsync("biscuit-1 publishes to");

        await reader.SayUntilAsync(Root + "cmd/pause", "{\"id\":\"2\"}", null, all => all.Count > 0);

        Assert.DoesNotContain("arm", done);
        Assert.Equal(1, running.Publisher.RequestsRefused);
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task WhatWaitsSurvivesARestartOfTheServiceWhileTheBrokerIsAway(BrokerKind kind)
    {
        using var folder = new TemporaryFolder();
        await using var broker = await TestBroker.StartAsync(kind);
        await broker.KillAsync();
        await using (var before = new Running(broker.Port, folder: folder.Path))
        {
            for (var n = 1; n <= 300; n++)
            {
                before.Offer(Some.Record(n));
                if (n % 10 == 0)
                {
                    before.Offer(Some.Picture(n));
                }
            }

            await Some.LabelAsync(before.Outbox, 1).Patiently();
        }

        await broker.StartAsync();
        await using var reader = await Reader.ConnectAsync(broker, Root + "#");
        await using var running = new Running(broker.Port, folder: folder.Path);
        running.Offer(Some.Record(301));
        await reader.WaitForAsync("event/inspection", 301);
        await reader.WaitForAsync("review/label");
        var messages = await reader.WaitAsync(all => all.Count(m => m.Topic.Contains("/image/2026", StringComparison.Ordinal)) == 30);

        Assert.Equal(Enumerable.Range(1, 301).Select(n => (long)n), messages.Where(IsInspection).Select(NumberOf));
        var order = messages.Select(m => m.Topic).ToList();
        Assert.True(order.FindIndex(t => t.Contains("/image/2026", StringComparison.Ordinal)) > order.FindIndex(t => t.EndsWith("label", StringComparison.Ordinal)));
        Assert.Equal(0, running.Publisher.Shed);
    }

    [Fact]
    public async Task WhatTheBrokerHasIsNotSentAgainAfterARestart()
    {
        using var folder = new TemporaryFolder();
        await using var broker = await TestBroker.StartAsync(BrokerKind.Embedded);
        await using var reader = await Reader.ConnectAsync(broker, Root + "#");
        await using (var before = new Running(broker.Port, folder: folder.Path))
        {
            for (var n = 1; n <= 50; n++)
            {
                before.Offer(Some.Record(n));
            }

            before.Offer(Some.Picture(5));
            await reader.WaitForAsync("event/inspection", 50);
            await reader.WaitForAsync("Z-5");
        }

        await using var running = new Running(broker.Port, folder: folder.Path);
        running.Offer(Some.Record(51));
        var messages = await reader.WaitForAsync("event/inspection", 51);

        Assert.Equal(Enumerable.Range(1, 51).Select(n => (long)n), messages.Where(IsInspection).Select(NumberOf));
        Assert.Single(messages, m => m.Topic.EndsWith("Z-5", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AReturningBrokerIsNotFlooded()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Embedded);
        await using var cable = new Cable(broker.Port, isPlugged: false);
        await using var running = new Running(cable.Port, o => o.DrainRate = 200);
        for (var n = 1; n <= 300; n++)
        {
            running.Offer(Some.Record(n));
        }

        await using var reader = await Reader.ConnectAsync(broker, Root + "event/inspection");
        await running.Log.WaitForAsync("cannot publish");
        cable.Plug();
        await reader.WaitForAsync("inspection", 1);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await reader.WaitForAsync("inspection", 300);

        // 200 a second after a burst of 20: 280 more take 1.4 s.
        Assert.InRange(clock.Elapsed.TotalSeconds, 1.0, 20);
    }

    [Fact]
    public async Task EachStationHasItsOwnConnectionAndItsOwnTopics()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Embedded);
        await using var reader = await Reader.ConnectAsync(broker);
        await using var running = new Running(
            broker.Port,
            snapshots: () => [Some.Snapshot("left"), Some.Snapshot("right")],
            stations: ["left", "right"]
        );

        running.Offer(Some.Record(1, "left"));
        running.Offer(Some.Record(2, "right"));
        await reader.WaitForAsync("left/event/inspection");
        await reader.WaitForAsync("right/event/inspection");
        await reader.WaitForAsync("left/state");
        await reader.WaitForAsync("right/state");

        Assert.Equal("connected", running.Publisher.BrokerState);
    }

    [Fact]
    public async Task AChangeOfStateIsPublishedWithoutWaitingForTheNextRepeat()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Embedded);
        await using var reader = await Reader.ConnectAsync(broker, Root + "state");
        var snapshot = Some.Snapshot();
        await using var running = new Running(broker.Port, snapshots: () => [Volatile.Read(ref snapshot)]);
        await reader.WaitForAsync("state");

        Volatile.Write(ref snapshot, snapshot with { State = StationState.Error, Fault = "the camera is gone" });
        var messages = await reader.WaitForAsync("state", 2);

        Assert.Contains("\"state\":\"Error\",\"fault\":\"the camera is gone\"", messages[1].Text);
    }

    [Fact]
    public async Task WhatIsNotTheBrokersFaultEndsTheLoop()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Embedded);
        var running = new Running(broker.Port, snapshots: () => throw new InvalidCastException("a fault of ours"));

        await Assert.ThrowsAsync<InvalidCastException>(() => running.Task.Patiently());
    }

    [Fact]
    public async Task SwitchedOffItKeepsNothingAndSaysSo()
    {
        await using var running = new Running(1, o => o.Enabled = false);
        running.Offer(Some.Record(1));

        Assert.Equal("off", running.Publisher.BrokerState);
        Assert.Equal(0, running.Publisher.Shed);
        // A task that ended by itself would look like one that failed.
        Assert.False(running.Task.IsCompleted);
    }

    private static void OfferOneOfEach(Running running)
    {
        running.Offer(Some.Record(4));
        running.Offer(Some.Record(5));
        running.Offer(Some.Record(6));
        running.Offer(Some.Picture(5));
        running.Offer(Some.Picture(6, Verdict.NotInspected));
    }

    private static bool IsInspection(Heard message) => message.Topic.EndsWith("inspection", StringComparison.Ordinal);

    private static long NumberOf(Heard message) =>
        JsonDocument.Parse(message.Payload).RootElement.GetProperty("partId").GetInt64();
}
