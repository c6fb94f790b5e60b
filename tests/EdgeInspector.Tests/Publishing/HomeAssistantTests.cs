using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

public sealed partial class HomeAssistantTests
{
    private static readonly HomeAssistantDevice Device = new(
        new HomeAssistantOptions(),
        Some.Plant,
        new HomeAssistantStation("biscuit-1", ["biscuit", "cracker"]),
        "1.2.3"
    );

    [Fact]
    public void TheDocumentHasWhatHomeAssistantDemands()
    {
        var document = JsonDocument.Parse(Device.Document()).RootElement;

        Assert.Equal("homeassistant/device/ei-acme-lyon-hall2-l1-biscuit-1/config", Device.Topic);
        Assert.Matches("^[a-zA-Z0-9_-]+$", Device.Id);
        Assert.Equal(Device.Id, document.GetProperty("device").GetProperty("identifiers")[0].GetString());
        Assert.Equal("EdgeInspector", document.GetProperty("origin").GetProperty("name").GetString());
        var components = document.GetProperty("components").EnumerateObject().ToList();
        var ids = components.Select(component => component.Value.GetProperty("unique_id").GetString()).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        string[] demanded(string platform) =>
            platform switch
            {
                "sensor" or "binary_sensor" or "update" => ["state_topic", "value_template"],
                "select" => ["command_topic", "options", "command_template", "state_topic"],
                "button" => ["command_topic", "command_template"],
                "image" => ["image_topic", "content_type"],
                _ => throw new InvalidOperationException($"no test for the platform {platform}"),
            };
        foreach (var component in components)
        {
            Assert.All(
                demanded(component.Value.GetProperty("platform").GetString()!).Append("name"),
                key => Assert.True(component.Value.TryGetProperty(key, out _), $"{component.Name} has no {key}")
            );
        }
    }

    [Fact]
    public void EveryTemplateFindsItsValueInWhatTheStationSays()
    {
        var said = new Dictionary<string, JsonElement>
        {
            ["state"] = Json(
                StatePayload.From(Some.Snapshot() with { Fault = "camera gone", IsHealthy = false, Alarms = [Some.Alarm(AlarmCode.BinFull, Some.Instant)] }, "ok"),
                Contract.State
            ),
            ["metrics"] = Json(MetricsPayload.From(Some.Snapshot(), 3, 4), Contract.Metrics),
        };
        var document = JsonDocument.Parse(Device.Document()).RootElement;
        var availability = document.GetProperty("availability")[0];
        Assert.Equal("True", Render(availability.GetProperty("value_template").GetString()!, said["state"]));

        var rendered = document
            .GetProperty("components")
            .EnumerateObject()
            .Where(component => component.Value.TryGetProperty("state_topic", out _))
            .ToDictionary(
                component => component.Name,
                component =>
                    Render(
                        component.Value.GetProperty("value_template").GetString()!,
                        said[component.Value.GetProperty("state_topic").GetString()!.Split('/')[^1]]
                    )
            );

        Assert.All(rendered, pair => Assert.NotEqual("", pair.Value));
        Assert.Equal("ContinuousExecution", rendered["state"]);
        Assert.Equal("camera gone", rendered["fault"]);
        Assert.Equal("ON", rendered["healthy"]);
        Assert.Equal("ON", rendered["alarm"]);
        Assert.Equal("OFF", rendered["camera"]);
        Assert.Equal("510", rendered["rejected"]);
        Assert.Equal("8.2", rendered["decision_p99"]);
        Assert.Equal("biscuit", rendered["recipe"]);
        var will = Json(StatePayload.Lost("biscuit-1"), Contract.State);
        Assert.Equal("False", Render(availability.GetProperty("value_template").GetString()!, will));
    }

    [Fact]
    public void CommandsGoWhereTheContractHasThem()
    {
        var document = JsonDocument.Parse(Device.Document()).RootElement;
        foreach (var component in document.GetProperty("components").EnumerateObject())
        {
            if (component.Value.TryGetProperty("command_topic", out var topic))
            {
                var suffix = Topics.SuffixOf(topic.GetString()!);
                Assert.True(Contract.MayPublish(Role.Operator, suffix!), $"{component.Name}: an operator may not publish to {topic}");
                var made = component
                    .Value.GetProperty("command_template")
                    .GetString()!
                    .Replace("{{ utcnow().timestamp() }}", "1764000000.5")
                    .Replace("{{ (utcnow() + timedelta(seconds=20)).isoformat() }}", "2026-11-23T14:48:20+00:00")
                    .Replace("{{ value | tojson }}", "\"cracker\"");
                var command = JsonSerializer.Deserialize(made, PayloadJson.Default.CommandPayload)!;
                Assert.Equal("ha-1764000000.5", command.Id);
            }
        }
    }

    [Fact]
    public async Task StationsIntroduceThemselvesAndAgainWhenHomeAssistantStarts()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Embedded);
        await using var heard = await Overheard.ConnectAsync(broker, "homeassistant/#");
        using var stop = new CancellationTokenSource();
        var discovery = new HomeAssistantDiscovery(
            new HomeAssistantOptions { Enabled = true },
            Overheard.Station(broker),
            Some.Plant,
            [new HomeAssistantStation("biscuit-1", ["biscuit"])],
            "1.2.3",
            TimeProvider.System,
            NullLogger<HomeAssistantDiscovery>.Instance
        );
        var running = discovery.RunAsync(stop.Token);

        var first = await heard.NextAsync();
        Assert.Equal(Device.Topic, first.Topic);
        Assert.True(first.Retain);
        await heard.SayAsync("homeassistant/status", "online"u8.ToArray());
        Assert.Equal(Device.Topic, (await heard.NextAsync()).Topic);

        await stop.CancelAsync();
        await running.Patiently();
    }

    private static JsonElement Json<T>(T payload, MessageKind kind) =>
        JsonDocument.Parse(OutgoingMessage.Of(kind, "biscuit-1", payload).Payload).RootElement;

    /// <summary>The few forms of template that the document uses, as Home Assistant would render them.</summary>
    private static string Render(string template, JsonElement value)
    {
        if (Plain().Match(template) is { Success: true } plain)
        {
            return Text(Find(value, plain.Groups[1].Value)) ?? plain.Groups[2].Value;
        }

        var choice = Choice().Match(template);
        Assert.True(choice.Success, template);
        var found = Text(Find(value, choice.Groups[2].Value));
        var isSo = choice.Groups[3].Success
            ? string.Equals(found, choice.Groups[3].Value.Trim('\''), StringComparison.OrdinalIgnoreCase)
            : found is not (null or "" or "0" or "False");
        return isSo ? choice.Groups[1].Value : choice.Groups[4].Value;
    }

    private static JsonElement? Find(JsonElement value, string path)
    {
        foreach (var level in path.Split('.'))
        {
            if (!value.TryGetProperty(level, out value))
            {
                return null;
            }
        }

        return value;
    }

    private static string? Text(JsonElement? value) => value?.ToString();

    [GeneratedRegex(@"^\{\{ value_json\.([\w.]+) \| default\('(.*)'\) \}\}$")]
    private static partial Regex Plain();

    [GeneratedRegex(@"^\{\{ '(\w+)' if value_json\.([\w.]+)(?: == ('\w+'|true|false))? else '(\w+)' \}\}$")]
    private static partial Regex Choice();
}
