using System.CommandLine;
using System.Text.Json;
using EdgeInspector.Cli;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace EdgeInspector.Tests.Cli;

public sealed class LedgerCommandTests : IDisposable
{
    private const string Run = "biscuit-1/20261123T144800000Z";

    private static readonly DateTimeOffset Start = new(2026, 11, 23, 14, 48, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Start);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task PartsComeAsATable()
    {
        await FillAsync();

        var (code, output, error) = Ask("parts");

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("2026-11-23 14:48:05.000", output, StringComparison.Ordinal);
        Assert.Contains("not inspected", output, StringComparison.Ordinal);
        Assert.Contains("broken, \"odd\"", output, StringComparison.Ordinal);
        Assert.Equal(20, output.Split('\n').Count(line => line.Contains("butter", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task CsvIsQuotedByTheBook()
    {
        await FillAsync();

        var (code, output, _) = Ask("parts", "--format", "csv");

        Assert.Equal(0, code);
        var lines = output.Split("\r\n");
        Assert.Equal(
            "id,number,station,decidedAt,verdict,reason,disposition,label,score,views,offsetMm,acrossMm,lengthMm,lanes,"
                + "entrySeen,decisionMs,fired,firedLateUs,confirmation,challenge,recipe,model,simulated",
            lines[0]);
        Assert.Equal(
            $"{Run}/5,5,biscuit-1,2026-11-23T14:48:05.000000Z,reject,defect,reject,\"broken, \"\"odd\"\"\",0.97,4,402.5,-12.25,60,3,"
                + "true,4.5,true,12.5,confirmed,,butter,biscuit 1.0.0,true",
            lines[5]);
        Assert.Equal((20 + 2, ""), (lines.Length, lines[^1]));
        Assert.Contains($"{Run}/7,7,biscuit-1,2026-11-23T14:48:07.000000Z,notInspected,notSeen,pass,,,0,", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5\" disc", "\"5\"\" disc\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("plain", "plain")]
    public async Task WhatWouldBreakALineIsQuoted(string recipe, string field)
    {
        using (var store = Open())
        {
            store.Offer(Part(1, Start) with { Recipe = recipe });
            await store.RunAsync(new CancellationToken(canceled: true));
        }

        Assert.EndsWith($",{field},biscuit 1.0.0,true\r\n", Ask("parts", "--format", "csv").Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonHasTheSameNames()
    {
        await FillAsync();

        var rows = Json("parts", "--json", "--limit", "5", "--newest").EnumerateArray().ToArray();

        Assert.Equal([20, 19, 18, 17, 16], rows.Select(row => row.GetProperty("number").GetInt32()));
        Assert.Equal("broken, \"odd\"", rows[0].GetProperty("label").GetString());
        Assert.Equal("2026-11-23T14:48:20.000000Z", rows[0].GetProperty("decidedAt").GetString());
        Assert.Equal(JsonValueKind.Null, rows[1].GetProperty("firedLateUs").ValueKind);
    }

    [Fact]
    public async Task PartsAreFound()
    {
        await FillAsync();

        Assert.Equal([5, 10, 15, 20], Numbers("--verdict", "reject"));
        Assert.Equal([7], Numbers("--verdict", "not-inspected"));
        Assert.Equal([5, 10, 15, 20], Numbers("--label", "broken, \"odd\""));
        Assert.Equal([18, 19, 20], Numbers("--from", "2026-11-23T14:48:18Z"));
        Assert.Equal([18, 19, 20], Numbers("--from", "2026-11-23T16:48:18+02:00"));
        Assert.Equal([1, 2], Numbers("--to", "2026-11-23 14:48:03"));
        Assert.Equal([10, 11], Numbers("--challenge", $"{Run}/c1"));
        Assert.Equal([12, 13, 14, 15, 16, 17, 18, 19, 20], Numbers("--since-good-challenge"));
        Assert.Equal(20, Numbers("--run", Run).Length);
        Assert.Empty(Numbers("--run", "biscuit-1/2026"));
        Assert.Empty(Numbers("--recipe", "rye"));
        Assert.Empty(Numbers("--station", "other"));
    }

    [Fact]
    public async Task TimesMayBeToldAsHowLongAgo()
    {
        _time.SetUtcNow(TimeProvider.System.GetUtcNow().AddMinutes(-30));
        await FillAsync(_time.GetUtcNow());

        Assert.Equal(20, Numbers("--from", "1h").Length);
        Assert.Equal(20, Numbers("--from", "40min ago").Length);
        Assert.Empty(Numbers("--from", "20min"));
        Assert.Empty(Numbers("--to", "1d ago"));
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("5")]
    [InlineData("-2h")]
    [InlineData("2026-13-01")]
    public async Task WhatIsNoTimeIsRefusedInOneLine(string time)
    {
        await FillAsync();

        var (code, output, error) = Ask("parts", $"--from={time}");

        Assert.Equal((CommandLine.UserFault, ""), (code, output));
        Assert.StartsWith($"edge-inspector: --from: '{time}' is no time; write ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void NoLedgerIsOneLine()
    {
        foreach (var verb in new[] { "parts", "summary", "runs", "challenges", "alarms" })
        {
            Assert.Equal(
                (CommandLine.UserFault, "", $"edge-inspector: {_folder["ledger.db"]}: there is no ledger; check the data folder.\n"),
                Ask(verb));
        }
    }

    [Fact]
    public async Task NothingFoundIsSaidAndIsNoFault()
    {
        using (var store = Open())
        {
            await store.RunAsync(new CancellationToken(canceled: true));
        }

        Assert.Equal((0, "No parts match.\n", ""), Ask("parts"));
        Assert.Equal((0, "No parts match.\n", ""), Ask("summary"));
        Assert.Equal((0, "No runs match.\n", ""), Ask("runs"));
        Assert.Equal((0, "No challenge tests match.\n", ""), Ask("challenges"));
        Assert.Equal((0, "No alarms match.\n", ""), Ask("alarms"));
        Assert.Equal((0, "[]\n", "No alarms match.\n"), Ask("alarms", "--json"));
        Assert.StartsWith("id,number,", Ask("parts", "--format", "csv").Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheSummaryCountsAndReconciles()
    {
        await FillAsync();

        var summary = Json("summary", "--json");

        var recipe = Assert.Single(summary.GetProperty("recipes").EnumerateArray());
        Assert.Equal((18, 14, 3, 1), (Count(recipe, "parts"), Count(recipe, "passed"), Count(recipe, "rejected"), Count(recipe, "notInspected")));
        Assert.Equal(3, Count(recipe.GetProperty("defects"), "broken, \"odd\""));
        Assert.Equal(2, Count(summary, "challengeParts"));
        var run = Assert.Single(summary.GetProperty("runs").EnumerateArray());
        Assert.True(run.GetProperty("reconciles").GetBoolean(), run.GetProperty("faults").ToString());
        Assert.Equal((20, 4), (Count(run.GetProperty("counted"), "parts"), Count(run.GetProperty("recorded"), "fired")));

        var table = Ask("summary").Output;
        Assert.Contains("agree", table, StringComparison.Ordinal);
        Assert.Contains("Challenge tests: 2 parts", table, StringComparison.Ordinal);
        Assert.Contains("butter,reject,\"broken, \"\"odd\"\"\",false,3", Ask("summary", "--format", "csv").Output, StringComparison.Ordinal);

        static int Count(JsonElement element, string name) => element.GetProperty(name).GetInt32();
    }

    [Theory]
    [InlineData("DELETE FROM parts WHERE number = 3", "20 parts were counted and 19 recorded")]
    [InlineData("UPDATE runs SET unaccounted = 2", "2 parts or events are unaccounted for")]
    [InlineData("UPDATE runs SET entry_eye = 21", "the entry eye counted 21 and only 20 parts have a state")]
    [InlineData("UPDATE parts SET fired_late_us = NULL WHERE number = 5", "4 pulses were counted and 3 recorded")]
    [InlineData("UPDATE runs SET confirmed = 3, unconfirmed = 1", "1 pulses were not confirmed")]
    [InlineData("UPDATE runs SET unexpected = 1", "1 falls into the bin were not rejects")]
    public async Task WhatDoesNotReconcileIsNamed(string harm, string fault)
    {
        await FillAsync();
        Sql(harm);

        var run = Json("summary", "--json").GetProperty("runs")[0];

        Assert.False(run.GetProperty("reconciles").GetBoolean());
        Assert.Contains(fault, run.GetProperty("faults").EnumerateArray().Select(line => line.GetString()));
        Assert.Contains(fault, Ask("summary").Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACrashIsAGapThatEverybodySees()
    {
        await FillAsync(end: false);
        _time.SetUtcNow(Start.AddMinutes(10));
        Open().Dispose();

        var row = Json("runs", "--json")[0];
        Assert.Equal("crashed", row.GetProperty("state").GetString());
        Assert.Equal("2026-11-23T14:48:00.000000Z", row.GetProperty("gapFrom").GetString());
        Assert.Equal("2026-11-23T14:58:00.000000Z", row.GetProperty("gapTo").GetString());
        Assert.Contains("CRASHED: gap 2026-11-23 14:48:00 to 2026-11-23 14:58:00 (10 min 0 s)", Ask("runs").Output, StringComparison.Ordinal);
        Assert.Contains("its last parts may be missing", Ask("summary").Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARunUnderWayIsNoCrash()
    {
        _time.SetUtcNow(TimeProvider.System.GetUtcNow());
        await FillAsync(_time.GetUtcNow(), end: false);

        Assert.Equal("running", Json("runs", "--json")[0].GetProperty("state").GetString());
    }

    [Fact]
    public async Task ChallengesShowTheirMarginsTrend()
    {
        await FillAsync();

        var (_, output, _) = Ask("challenges");

        Assert.Contains("1 of 1", output, StringComparison.Ordinal);
        Assert.Contains("0.400", output, StringComparison.Ordinal);
        Assert.Contains("FAILED", output, StringComparison.Ordinal);
        Assert.Contains("Least margin of biscuit-1, oldest to newest: █×  0.400 to 0.200", output, StringComparison.Ordinal);
        var rows = Json("challenges", "--json", "--newest").EnumerateArray().ToArray();
        Assert.Equal(["failed", "passed"], rows.Select(row => row.GetProperty("outcome").GetString()));
        Assert.Equal("hole", rows[1].GetProperty("pieces")[0].GetProperty("expected").GetString());
    }

    [Fact]
    public async Task OpenAlarmsAreThoseThatSomebodyMustSee()
    {
        await FillAsync();

        Assert.Equal(3, Json("alarms", "--json").GetArrayLength());
        Assert.Equal(
            ["bin-full", "challenge-failed"],
            Json("alarms", "--json", "--open").EnumerateArray().Select(row => row.GetProperty("name").GetString()));
        Assert.Contains("lasts", Ask("alarms", "--open").Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheLedgerIsReadWhileItIsWritten()
    {
        using var store = Open();
        using var stop = new CancellationTokenSource();
        store.BeginRun(RunOf(Start));
        var writing = store.RunAsync(stop.Token);
        for (var number = 1; number <= 2_000; number++)
        {
            store.Offer(Part(number, Start));
            if (number % 500 == 0)
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                Assert.Equal(0, Ask("summary", "--json").Code);
                Assert.Equal(0, Ask("parts", "--format", "csv").Code);
            }
        }

        await stop.CancelAsync();
        await writing;
        Assert.Equal(2_000, Json("parts", "--json").GetArrayLength());
        Assert.Equal("ok", store.State);
    }

    [Fact]
    public void HelpTeachesByExample()
    {
        using var output = new StringWriter();
        new RootCommand { LedgerCommand.Create() }.Parse(["ledger", "--help"]).Invoke(new InvocationConfiguration { Output = output });

        Assert.Contains("edge-inspector ledger parts --since-good-challenge --format csv > hold.csv", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("--data <FOLDER>", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheDataFolderComesFromTheConfiguration()
    {
        await FillAsync();
        var config = _folder.Write(
            "station.json",
            $$"""{ "DataFolder": "{{_folder.Path}}", "Stations": [{ "Camera": { "Source": "virtual:" }, "Reject": { "Ejectors": [{ "Pin": 1 }] } }] }""");
        using var output = new StringWriter();
        using var error = new StringWriter();

        var code = LedgerCommand.Create().Parse(["parts", "--json", "--config", config])
            .Invoke(new InvocationConfiguration { Output = output, Error = error });

        Assert.Equal((0, ""), (code, error.ToString()));
        Assert.Equal(20, JsonDocument.Parse(output.ToString()).RootElement.GetArrayLength());
    }

    private static LedgerRun RunOf(DateTimeOffset start) => new(Run, "biscuit-1", start, "biscuit 1.0.0", "butter", "0.2.0");

    private static PartRecord Part(long number, DateTimeOffset start) =>
        Publishing.Some.Record(number) with
        {
            Id = $"{Run}/{number}",
            Recipe = "butter",
            DecidedAt = start.AddSeconds(number),
            Label = number % 5 == 0 ? "broken, \"odd\"" : "good",
            Lanes = number % 5 == 0 ? 3 : 1,
            Challenge = number is 10 or 11 ? $"{Run}/c1" : null,
        };

    /// <summary>
    /// Twenty parts: each fifth a reject, the seventh not inspected, the tenth and eleventh of a challenge test that passed,
    /// the twelfth to fourteenth of one that failed.
    /// </summary>
    private async Task FillAsync(DateTimeOffset? from = null, bool end = true)
    {
        var start = from ?? Start;
        using var store = Open();
        store.BeginRun(RunOf(start));
        store.Follow(Run, () => new RunTotals(20, 2, 0, 1, 20, 4, 4, 0, 0));
        for (var number = 1; number <= 20; number++)
        {
            store.Offer(
                number == 7
                    ? Part(7, start) with { Verdict = Verdict.NotInspected, Reason = Reason.NotSeen, Label = null, Score = null, Views = 0 }
                    : Part(number, start));
        }

        var test = new ChallengeRecord
        {
            Id = $"{Run}/c1",
            Run = Run,
            Station = "biscuit-1",
            Who = "Ann",
            Defect = "hole",
            StartedAt = start.AddSeconds(9),
            EndedAt = start.AddSeconds(12),
            Outcome = ChallengeOutcome.Passed,
            AfterPart = 9,
            LastPart = 11,
            Pieces = [new ChallengePieceResult("hole", IsGood: false, 10, "hole", 0.9, 0.4)],
        };
        store.Offer(test with { Outcome = ChallengeOutcome.Running, EndedAt = null, LastPart = null });
        store.Offer(test);
        store.Offer(test with
        {
            Id = $"{Run}/c2",
            StartedAt = start.AddSeconds(12),
            EndedAt = start.AddSeconds(15),
            Outcome = ChallengeOutcome.Failed,
            Fault = "1 of 2 pieces did not come within 5 min: burnt",
            AfterPart = 11,
            LastPart = 14,
            Pieces = [new("hole", IsGood: false, 12, "hole", 0.7, 0.2), new("burnt", IsGood: false)],
        });
        var alarm = Publishing.Some.Alarm(AlarmCode.AirLow, start) with
        {
            State = AlarmState.Normal,
            ClearedAt = start.AddSeconds(2),
            AcknowledgedAt = start.AddSeconds(3),
            AcknowledgedBy = "Ann",
        };
        store.Offer("biscuit-1", alarm);
        store.Offer("biscuit-1", Publishing.Some.Alarm(AlarmCode.BinFull, start.AddSeconds(4)) with
        {
            State = AlarmState.ClearedUnacknowledged,
            ClearedAt = start.AddSeconds(5),
        });
        store.Offer("biscuit-1", Publishing.Some.Alarm(AlarmCode.ChallengeFailed, start.AddSeconds(15)));
        if (end)
        {
            store.EndRun(Run);
        }

        await store.RunAsync(new CancellationToken(canceled: true));
    }

    private LedgerStore Open()
    {
        var store = new LedgerStore(new LedgerOptions(), _folder.Path, _time, NullLogger.Instance);
        store.Open();
        return store;
    }

    private int[] Numbers(params string[] arguments) =>
        [.. Json(["parts", "--json", .. arguments]).EnumerateArray().Select(row => row.GetProperty("number").GetInt32())];

    private JsonElement Json(params string[] arguments) => JsonDocument.Parse(Ask(arguments).Output).RootElement;

    private (int Code, string Output, string Error) Ask(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = LedgerCommand.Create().Parse([.. arguments, "--data", _folder.Path])
            .Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }

    private void Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_folder["ledger.db"]};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own texts.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
