using System.Text.Json;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>What others rely on. A change that fails here needs a new schema version.</summary>
public sealed class ContractTests
{
    [Fact]
    public void TopicsStandUnderThePlantInIsa95Order()
    {
        var topics = new Topics(Some.Plant, "biscuit-1");

        Assert.Equal("ei/v1/acme/lyon/hall2/l1/biscuit-1/state", topics.Of(Topics.State));
        Assert.Equal("ei/v1/acme/lyon/hall2/l1/biscuit-1/event/inspection", topics.Of(Topics.Inspection));
        Assert.Equal(
            "ei/v1/acme/lyon/hall2/l1/biscuit-1/image/20261123T144800Z-42",
            topics.Of(Topics.Image, "biscuit-1/20261123T144800Z/42")
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
            "evidenceShed":0,"publishingShed":0,"ledgerLost":0}
            """.ReplaceLineEndings(string.Empty),
            JsonSerializer.Serialize(MetricsPayload.From(Some.Snapshot()), PayloadJson.Default.MetricsPayload)
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
}
