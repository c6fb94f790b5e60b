using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Tests.Conventions;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>What others rely on. A change that fails here needs a new schema version.</summary>
public sealed class ContractTests
{
    [Fact]
    public void TopicsStandUnderThePlantInIsa95Order()
    {
        var topics = new Topics(Some.Plant, "biscuit-1");

        Assert.Equal("ei/v1/acme/lyon/hall2/l1/biscuit-1/state", topics.Of(Contract.State));
        Assert.Equal("ei/v1/acme/lyon/hall2/l1/biscuit-1/event/inspection", topics.Of(Contract.Inspection));
        Assert.Equal(
            "ei/v1/acme/lyon/hall2/l1/biscuit-1/image/20261123T144800Z-42",
            topics.Of(Contract.Image, "biscuit-1/20261123T144800Z/42")
        );
    }

    [Theory]
    [InlineData("other/20261123T144800Z/42", "other-20261123T144800Z-42")]
    [InlineData("biscuit-1/a+b#c/7", "a-b-c-7")]
    public void APartsIdIsAlwaysOneLevelWithoutWildcards(string id, string level) =>
        Assert.Equal(level, new Topics(Some.Plant, "biscuit-1").IdSegment(id));

    [Fact]
    public void AnInspectionEventHasTheNamesOfOpc40100AndOurs() =>
        Assert.Equal(
            """
            {"resultId":"biscuit-1/20261123T144800Z/5","partId":5,"isPartial":false,"isSimulated":true,"resultState":1,
            "internalRecipeId":"biscuit","internalConfigurationId":"biscuit 1.0.0",
            "creationTime":"2026-11-23T14:48:00.5+00:00","processingTimes":{"processingDuration":4.5},
            "station":"biscuit-1","verdict":"Reject","reason":"Defect","disposition":"Reject","label":"broken",
            "score":0.97,"views":4,"lane":0,"across":-12.25,"length":60,"entrySeen":true,"fired":true,
            "firedLateMicroseconds":12.5,"confirmation":"Confirmed"}
            """.ReplaceLineEndings(string.Empty),
            JsonSerializer.Serialize(InspectionPayload.From(Some.Record(5)), PayloadJson.Default.InspectionPayload)
        );

    [Fact]
    public void MetricsCarryEveryCount() =>
        Assert.Equal(
            """
            {"station":"biscuit-1","at":"2026-11-23T14:48:00+00:00","isSimulated":true,"uptimeSeconds":754.5,
            "beltSpeed":0.8,"partsPerMinute":598,"framesPerSecond":59.9,"frames":45230,"framesDropped":3,"parts":7523,
            "passed":7001,"rejected":510,"notInspected":4,"late":1,"open":7,"unaccounted":0,"pulses":515,
            "confirmed":514,"unconfirmed":0,"unexpectedBinEntries":0,"entryEye":7523,
            "defects":{"broken":200,"burnt":310},
            "decision":{"p50":3.1,"p99":8.2,"p999":11.9,"max":14.4,"count":7516},
            "actuation":{"p50":0.02,"p99":0.09,"p999":0.2,"max":0.4,"count":515},
            "evidenceShed":0,"publishingShed":0,"ledgerLost":0,"outboxWaiting":3,"outboxBytes":4096}
            """.ReplaceLineEndings(string.Empty),
            JsonSerializer.Serialize(MetricsPayload.From(Some.Snapshot(), 3, 4096), PayloadJson.Default.MetricsPayload)
        );

    [Theory]
    [InlineData(Verdict.Pass, Reason.None, 1)]
    [InlineData(Verdict.Reject, Reason.Defect, 1)]
    [InlineData(Verdict.Late, Reason.Deadline, 3)]
    [InlineData(Verdict.NotInspected, Reason.Stopped, 3)]
    [InlineData(Verdict.NotInspected, Reason.NotSeen, 4)]
    internal void ResultStateSaysWhetherThePartWasJudged(Verdict verdict, Reason reason, int state)
    {
        var record = Some.Record(1) with { Verdict = verdict, Reason = reason };

        Assert.Equal(state, InspectionPayload.From(record).ResultState);
    }

    [Fact]
    public void WhatIsNotANumberIsLeftOut()
    {
        var record = Some.Record(1) with { Score = double.NaN, Length = double.PositiveInfinity };
        var snapshot = Some.Snapshot() with { BeltSpeed = double.NaN };

        var inspection = JsonSerializer.Serialize(InspectionPayload.From(record), PayloadJson.Default.InspectionPayload);
        var metrics = JsonSerializer.Serialize(MetricsPayload.From(snapshot), PayloadJson.Default.MetricsPayload);

        Assert.DoesNotContain("score", inspection);
        Assert.DoesNotContain("\"length\"", inspection);
        Assert.DoesNotContain("beltSpeed", metrics);
    }

    [Fact]
    public void TheCommittedDocumentsAreThoseThatTheTypesMake()
    {
        var folder = Path.Combine(SourceTree.Root, "docs/contract");
        var stale = ContractDocuments
            .Files()
            .Where(file => !File.Exists(Path.Combine(folder, file.Name)) || File.ReadAllText(Path.Combine(folder, file.Name)) != file.Text)
            .Select(file => $"docs/contract/{file.Name} is stale; run: edge-inspector contract write --out docs/contract");

        Assert.Empty(stale);
    }

    [Fact]
    public void TheTableForPeopleIsTheOneInTheCode() =>
        Assert.Contains(ContractDocuments.Table(), File.ReadAllText(Path.Combine(SourceTree.Root, "docs/mqtt.md")));

    [Fact]
    public void NobodyWrittenAgainstTheReleasedContractIsBroken() =>
        Assert.Empty(ContractComparison.Breaks(Released(), ContractDocuments.AsyncApi()));

    [Theory]
    [InlineData("channels/metrics", null, "metrics: removed")]
    [InlineData("channels/state/address", "\"ei/v1/state\"", "state: topic")]
    [InlineData("operations/inspection/bindings/mqtt/qos", "0", "inspection: QoS")]
    [InlineData("operations/inspection/bindings/mqtt/messageExpiryInterval", "60", "inspection: expires after 60 s")]
    [InlineData("components/messages/image/headers/properties/resultId", null, "image: user property 'resultId' removed")]
    [InlineData("components/schemas/ei.state/properties/camera", null, "state/camera: removed")]
    [InlineData("components/schemas/ei.state/properties/online/type", "\"string\"", "state/online: type")]
    [InlineData("components/schemas/ei.state/required", "[\"station\"]", "state/online: no longer always there")]
    [InlineData("components/schemas/ei.alarm/properties/severity/enum", "[\"Info\"]", "alarm/severity: 'Warning' removed")]
    [InlineData(
        "components/schemas/ei.inspection/properties/verdict/enum",
        "[\"Pass\",\"Reject\",\"NotInspected\",\"Late\",\"Odd\"]",
        "inspection/verdict: 'Odd' is new"
    )]
    [InlineData("components/schemas/ei.command/required", "[\"id\",\"who\"]", "command/who: required now")]
    [InlineData("components/schemas/ei.command/properties/id/maxLength", "8", "command/id: maxLength")]
    [InlineData("channels/command/parameters/verb/enum", "[\"acknowledge\"]", "command: 'arm' removed")]
    public void AChangeThatBreaksAReaderIsFound(string path, string? changed, string told)
    {
        var newer = Released();
        JsonNode at = newer;
        var steps = path.Split('/');
        foreach (var step in steps[..^1])
        {
            at = at[step]!;
        }

        at.AsObject().Remove(steps[^1]);
        if (changed is not null)
        {
            at[steps[^1]] = JsonNode.Parse(changed);
        }

        Assert.StartsWith(told, ContractComparison.Breaks(Released(), newer)[0]);
    }

    [Fact]
    public void AnAdditionBreaksNobody()
    {
        var newer = Released();
        newer["components"]!["schemas"]!["ei.state"]!["properties"]!["mood"] = new JsonObject { ["type"] = "string" };
        newer["channels"]!["command"]!["parameters"]!["verb"]!["enum"]!.AsArray().Add("dance");
        newer["channels"]!["weather"] = new JsonObject();

        Assert.Empty(ContractComparison.Breaks(Released(), newer));
    }

    [Fact]
    public void EveryTopicIsRecognised()
    {
        var topics = new Topics(Some.Plant, "biscuit-1");
        foreach (var kind in Contract.All)
        {
            Assert.Equal((kind, kind.Parameter is null ? null : "a"), Contract.Match(Topics.SuffixOf(topics.Of(kind, "a"))!));
        }

        Assert.Null(Contract.Match("image/a/b"));
        Assert.Null(Contract.Match("image/"));
        Assert.Null(Topics.SuffixOf("ei/v2/a/b/c/d/e/state"));
        Assert.Null(Topics.SuffixOf("ei/v1/a/b/c/d"));
    }

    [Fact]
    internal void EachRoleMaySendItsCommandsAndNothingThatStationsSay()
    {
        Assert.DoesNotContain(Contract.Verbs, verb => Contract.MayPublish(Role.Viewer, $"cmd/{verb.Name}"));
        Assert.True(Contract.MayPublish(Role.Operator, "cmd/arm"));
        Assert.False(Contract.MayPublish(Role.Operator, "cmd/threshold"));
        Assert.True(Contract.MayPublish(Role.Engineer, "cmd/threshold"));
        Assert.False(Contract.MayPublish(Role.Qa, "model/desired"));
        Assert.True(Contract.MayPublish(Role.Engineer, "model/desired"));
        Assert.False(Contract.MayPublish(Role.Admin, "cmd/unknown"));
        Assert.DoesNotContain(Contract.All, kind => !kind.IsInbound && Contract.MayPublish(Role.Admin, kind.SuffixOf("a")));
    }

    private static JsonObject Released() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(SourceTree.Root, "docs/contract/released-v1.json")))!.AsObject();
}
