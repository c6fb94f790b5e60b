using System.Diagnostics;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace EdgeInspector.Tests.Ledger;

public sealed class LedgerStoreTests : IDisposable
{
    private static readonly LedgerRun Run = new(
        "biscuit-1/20261123T144800Z", "biscuit-1", Start, "biscuit 1.0.0", "standard", "0.1.0");

    private static readonly DateTimeOffset Start = new(2026, 11, 23, 14, 48, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Start);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task EveryFieldOfAPartComesBack()
    {
        using var store = Opened();
        PartRecord[] parts =
        [
            Part(1),
            Part(2) with
            {
                Verdict = Verdict.Reject,
                Reason = Reason.Defect,
                Disposition = Disposition.Reject,
                Label = "hole",
                Score = 0.93,
                FiredLateMicroseconds = -12.5,
                Confirmation = Confirmation.Confirmed,
                Lanes = 0b1001,
                Challenge = $"{Run.Id}/c1",
            },
            Part(3) with { Verdict = Verdict.NotInspected, Reason = Reason.NotSeen, Label = null, Score = null, Across = double.NaN },
        ];

        await WriteAsync(store, parts);

        Assert.Equal(parts, store.Reader.Read(new LedgerQuery()));
        Assert.Equal(3, store.Written);
        Assert.Equal(0, store.Lost);
    }

    [Fact]
    public async Task APartThatComesTwiceIsOnePart()
    {
        using var store = Opened();

        await WriteAsync(store, Part(1), Part(2), Part(1) with { Confirmation = Confirmation.Confirmed });

        Assert.Equal(2, store.Reader.Read(new LedgerQuery()).Count());
        Assert.Equal(Confirmation.Confirmed, store.Reader.Read(new LedgerQuery()).First().Confirmation);
    }

    [Fact]
    public async Task PartsAreFoundByTimeStationRunAndVerdict()
    {
        using var store = Opened();
        var other = Part(1) with { Id = "other-1/20261123T144800Z/1", Station = "other-1" };
        await WriteAsync(store, [.. Enumerable.Range(1, 12).Select(number => Part(number)), other]);

        Assert.Equal([1, 2], Numbers(new LedgerQuery { To = Start.AddSeconds(3), Station = "biscuit-1" }));
        Assert.Equal([11, 12], Numbers(new LedgerQuery { From = Start.AddSeconds(11) }));
        Assert.Equal(12, Numbers(new LedgerQuery { Run = Run.Id }).Length);
        Assert.Empty(Numbers(new LedgerQuery { Run = "biscuit-1/2026" }));
        Assert.Equal([12, 11], Numbers(new LedgerQuery { Run = Run.Id, NewestFirst = true, Limit = 2 }));
        Assert.Empty(Numbers(new LedgerQuery { Verdict = Verdict.Late }));
        Assert.Equal(
            new Dictionary<Verdict, long>
            {
                [Verdict.Pass] = 13, [Verdict.Reject] = 0, [Verdict.NotInspected] = 0, [Verdict.Late] = 0,
            },
            store.Reader.CountByVerdict(new LedgerQuery()));

        long[] Numbers(LedgerQuery query) => [.. store.Reader.Read(query).Select(part => part.Number)];
    }

    [Fact]
    public async Task PartsAreWrittenWhileTheLineRuns()
    {
        using var store = Opened();
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        for (var number = 1; number <= 1_000; number++)
        {
            store.Offer(Part(number));
        }

        await UntilAsync(() => store.Written == 1_000);

        Assert.Equal(1_000, store.Reader.Read(new LedgerQuery()).Count());
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task ARunThatEndedIsNotReported()
    {
        using (var store = Opened())
        {
            store.BeginRun(Run);
            store.EndRun(Run.Id);
            await WriteAsync(store, Part(1));
        }

        using var next = Opened();

        Assert.Empty(next.UnfinishedRuns);
        Assert.Equal([Run with { Ended = Start }], next.Reader.Runs());
    }

    [Fact]
    public async Task ARunThatCrashedIsReportedOnceByTheNextStart()
    {
        using (var store = Opened())
        {
            store.BeginRun(Run);
            await WriteAsync(store, Part(1));
        }

        using (var next = Opened())
        {
            Assert.Equal([Run], next.UnfinishedRuns);
        }

        using var third = Opened();
        Assert.Empty(third.UnfinishedRuns);
        Assert.Null(third.Reader.Runs().Single().Ended);
    }

    [Fact]
    public void AFolderThatCannotBeWrittenIsRefusedInOneLine()
    {
        var file = _folder.Write("file", "in the way");
        using var store = Store(Path.Combine(file, "data"));

        var refused = Assert.Throws<LedgerException>(store.Open);

        Assert.StartsWith(Path.Combine(file, "data") + ": is no folder this user can write", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void AFolderOnAReadOnlyDiskIsRefused()
    {
        using var disk = SmallDisk.Mount(_folder["disk"], "1m");
        disk.MakeReadOnly();
        using var store = Store(_folder["disk"]);

        Assert.StartsWith(_folder["disk"] + ": is no folder", Assert.Throws<LedgerException>(store.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatAnotherProgramUsesIsRefused()
    {
        using var store = Opened();
        using var second = Store(_folder.Path);

        Assert.Equal(
            $"{_folder.Path}: is in use by another edge-inspector; stop it or set another DataFolder.",
            Assert.Throws<LedgerException>(second.Open).Message);
    }

    [Fact]
    public void AFileThatIsNoLedgerIsRefused()
    {
        _folder.Write("ledger.db", new string('x', 8_192));
        using var store = Store(_folder.Path);

        Assert.StartsWith($"{_folder["ledger.db"]}: is no ledger; ", Assert.Throws<LedgerException>(store.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALedgerFromANewerProgramIsRefused()
    {
        Opened().Dispose();
        Sql("PRAGMA user_version = 99");
        using var store = Store(_folder.Path);

        Assert.StartsWith(
            $"{_folder["ledger.db"]}: has schema 99, and this program knows 3; ",
            Assert.Throws<LedgerException>(store.Open).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFullDiskLosesNoPartAndIsReported()
    {
        using var disk = SmallDisk.Mount(_folder["disk"], "600k");
        using var store = Opened(_folder["disk"]);
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        store.Offer(Part(1));
        await UntilAsync(() => store.Written == 1);

        disk.Fill();
        for (var number = 2; number <= 4_000; number++)
        {
            store.Offer(Part(number));
        }

        await UntilAsync(() => store.State != "ok");
        Assert.Equal("the disk is full", store.State);
        disk.Grow("16m");
        await UntilAsync(() => store.Written == 4_000);

        Assert.Equal("ok", store.State);
        Assert.Equal(0, store.Lost);
        Assert.Equal(4_000, store.Reader.Read(new LedgerQuery()).Count());
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task ADiskThatIsReplacedByAReadOnlyOneLosesNoPart()
    {
        using var store = Opened(_folder["disk"]);
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        using (var disk = SmallDisk.Mount(_folder["disk"], "1m"))
        {
            disk.MakeReadOnly();
            store.Offer(Part(1));
            await UntilAsync(() => store.State != "ok");
            Assert.Equal("cannot be opened or created", store.State);
        }

        await UntilAsync(() => store.Written == 1);

        Assert.Equal("ok", store.State);
        Assert.Equal([Part(1)], store.Reader.Read(new LedgerQuery()));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task ALockedLedgerIsWaitedFor()
    {
        using var store = Opened();
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        using (var other = new SqliteConnection($"Data Source={_folder["ledger.db"]};Pooling=False"))
        {
            other.Open();
            using var transaction = other.BeginTransaction();
            store.Offer(Part(1));
            await UntilAsync(() => store.State != "ok");
            Assert.Equal("is locked by another program", store.State);
        }

        await UntilAsync(() => store.Written == 1);
        Assert.Equal("ok", store.State);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task ADeletedLedgerIsBegunAnewWithItsRun()
    {
        using var store = Opened();
        store.BeginRun(Run);
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        store.Offer(Part(1));
        await UntilAsync(() => store.Written == 1);

        foreach (var file in Directory.GetFiles(_folder.Path, "ledger.db*"))
        {
            File.Delete(file);
        }

        store.Offer(Part(2));
        await UntilAsync(() => store.Written == 2);

        Assert.Equal([Part(2)], store.Reader.Read(new LedgerQuery()));
        Assert.Equal([Run], store.Reader.Runs());
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task WhatDoesNotFitInMemoryIsCounted()
    {
        using var store = Opened(options: new LedgerOptions { QueueLength = 200 });
        for (var number = 1; number <= 250; number++)
        {
            store.Offer(Part(number));
        }

        Assert.Equal(50, store.Lost);
        await WriteAsync(store);
        Assert.Equal(200, store.Written);
        store.Offer(Part(251));
        Assert.Equal(51, store.Lost);
    }

    [Fact]
    public async Task APartThatTheTableRefusesDoesNotHoldUpTheOthers()
    {
        using var store = Opened();

        await WriteAsync(store, Part(1), Part(2) with { Recipe = null! }, Part(3));

        Assert.Equal([1L, 3L], store.Reader.Read(new LedgerQuery()).Select(part => part.Number).Order());
        Assert.Equal((2, 1), (store.Written, store.Lost));
        Assert.Equal("ok", store.State);
    }

    [Fact]
    public async Task PartsPastTheirAgeAreRemoved()
    {
        using var store = Opened(options: new LedgerOptions { Retention = TimeSpan.FromHours(1) });
        store.BeginRun(Run with { Id = "biscuit-1/old", Started = Start.AddDays(-1) });
        store.EndRun("biscuit-1/old");
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        for (var number = 1; number <= 5_000; number++)
        {
            store.Offer(Part(number) with { DecidedAt = Start.AddHours(-2) });
        }

        store.Offer(Part(5_001) with { DecidedAt = Start.AddHours(2) });
        await UntilAsync(() => store.Written == 5_001);
        _time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(() => store.Reader.Read(new LedgerQuery()).Count() == 1);

        Assert.Empty(store.Reader.Runs());
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task TheFileStaysWithinItsSize()
    {
        using var store = Opened(options: new LedgerOptions { MaximumMegabytes = 1 });
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        for (var number = 1; number <= 10_000; number++)
        {
            store.Offer(Part(number));
        }

        await UntilAsync(() => store.Written == 10_000);
        _time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(() => store.Reader.Read(new LedgerQuery()).Count() < 5_000);

        await stop.CancelAsync();
        await running;
        store.Dispose();
        Assert.Equal(10_000, store.Reader.Read(new LedgerQuery { NewestFirst = true, Limit = 1 }).Single().Number);
        Assert.InRange(new FileInfo(store.Path).Length, 100_000, 1_300_000);
    }

    [Fact]
    public async Task WhatRetentionRemovedIsNotedPerDayAndPerRun()
    {
        using var store = Opened(options: new LedgerOptions { Retention = TimeSpan.FromHours(1) });
        store.BeginRun(Run);
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        for (var number = 1; number <= 4_500; number++)
        {
            store.Offer(Part(number) with { DecidedAt = Start.AddHours(-2).AddSeconds(number) });
        }

        store.Offer(Part(4_501) with { DecidedAt = Start.AddHours(2) });
        await UntilAsync(() => store.Written == 4_501);
        _time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(() => store.Reader.Runs()[0].Removed > 0 && store.Reader.Read(new LedgerQuery()).Count() < 4_501);
        await stop.CancelAsync();
        await running;

        var left = store.Reader.Read(new LedgerQuery()).Count();
        var removal = Assert.Single(store.Reader.Removals());
        Assert.Equal(("age", 4_501L, Start.AddHours(-2).AddSeconds(1)), (removal.Why, removal.Parts + left, removal.FirstDecided));
        Assert.InRange(removal.LastDecided, removal.FirstDecided, _time.GetUtcNow().AddHours(-1));
        Assert.Equal(removal.Parts, store.Reader.Runs()[0].Removed);
        Assert.Equal(0, store.Reader.Reconcile(store.Reader.Runs()[0]).WithoutRecord);
    }

    [Fact]
    public async Task WhatARunCountsIsKeptOnceASecondAndAtItsEnd()
    {
        using var store = Opened();
        using var stop = new CancellationTokenSource();
        var (parts, asked) = (0L, 0);
        store.BeginRun(Run);
        store.Follow(Run.Id, () =>
        {
            asked++;
            return new RunTotals(parts, 0, 0, 1, parts + 1, 2, null, null, null);
        });
        var running = store.RunAsync(stop.Token);
        parts = 5;
        await UntilAsync(() => store.Reader.Runs()[0].Totals?.Parts == 5);
        var heard = store.Reader.Runs()[0].Heard;
        Assert.Equal(new RunTotals(5, 0, 0, 1, 6, 2, null, null, null), store.Reader.Runs()[0].Totals);
        Assert.InRange(asked, 1, (int)(_time.GetUtcNow() - Start).TotalSeconds + 2);

        // A line without parts shows that it lives.
        _time.Advance(TimeSpan.FromSeconds(61));
        await UntilAsync(() => store.Reader.Runs()[0].Heard >= heard!.Value.AddMinutes(1));

        parts = 7;
        store.EndRun(Run.Id);
        asked = 0;
        await stop.CancelAsync();
        await running;
        Assert.Equal((7L, 0), (store.Reader.Runs()[0].Totals!.Parts, asked));
        Assert.NotNull(store.Reader.Runs()[0].Ended);
    }

    [Fact]
    public async Task ChallengeTestsAndAlarmsComeBack()
    {
        using var store = Opened();
        var test = Challenge("c1", ChallengeOutcome.Failed, 1) with { Fault = "part 2 was not rejected" };
        var alarm = Publishing.Some.Alarm(AlarmCode.BinFull, Start);
        var over = alarm with
        {
            State = AlarmState.Normal,
            ClearedAt = Start.AddMinutes(1),
            AcknowledgedAt = Start.AddMinutes(2),
            AcknowledgedBy = "Ann",
            Count = 3,
        };
        store.Offer(test with { Outcome = ChallengeOutcome.Running, EndedAt = null });
        store.Offer("biscuit-1", alarm);
        store.Offer(test);
        store.Offer("biscuit-1", over);
        await WriteAsync(store);

        var read = Assert.Single(store.Reader.Challenges(new LedgerQuery()));
        Assert.Equal(test.Pieces, read.Pieces);
        Assert.Equal(test with { Pieces = [] }, read with { Pieces = [] });
        Assert.Equal([new LedgerAlarm("biscuit-1", over)], store.Reader.Alarms(new LedgerQuery()));
        Assert.Empty(store.Reader.Alarms(new LedgerQuery { Station = "other" }));
        Assert.Empty(store.Reader.Challenges(new LedgerQuery { From = Start.AddDays(1) }));
    }

    [Fact]
    public async Task ATestThatTheTableRefusesDoesNotHoldUpTheParts()
    {
        using var store = Opened();
        store.Offer(Challenge("c1", ChallengeOutcome.Passed, 1) with { Who = null! });
        store.Offer(Challenge("c2", ChallengeOutcome.Passed, 1));

        await WriteAsync(store, Part(1));

        Assert.Equal(1, store.Lost);
        Assert.Single(store.Reader.Challenges(new LedgerQuery()));
        Assert.Single(store.Reader.Read(new LedgerQuery()));
    }

    [Fact]
    public async Task TheNextRunKnowsHowTheLastTestsWent()
    {
        using var store = Opened();
        Assert.Equal(new ChallengeHistory(null, null), store.Reader.ChallengeHistory("biscuit-1"));
        store.Offer(Challenge("c1", ChallengeOutcome.Passed, 1));
        store.Offer(Challenge("c2", ChallengeOutcome.Failed, 2) with { Fault = "too dark" });
        store.Offer(Challenge("c3", ChallengeOutcome.Aborted, 3));
        store.Offer(Challenge("c4", ChallengeOutcome.Running, 4) with { EndedAt = null });
        await WriteAsync(store);

        Assert.Equal(new ChallengeHistory(Start.AddMinutes(1.5), "too dark"), store.Reader.ChallengeHistory("biscuit-1"));
        Assert.Equal(new ChallengeHistory(null, null), store.Reader.ChallengeHistory("other"));
    }

    [Fact]
    public async Task PartsSinceTheLastGoodTestAreFoundByNumberEvenWhenTheClockWasSetBack()
    {
        using var store = Opened();
        store.Offer(Challenge("c1", ChallengeOutcome.Passed, 1) with { AfterPart = 1, LastPart = 2 });
        store.Offer(Challenge("c2", ChallengeOutcome.Passed, 2) with { AfterPart = 4, LastPart = 5 });
        store.Offer(Challenge("c3", ChallengeOutcome.Failed, 3) with { AfterPart = 7, LastPart = 8 });
        await WriteAsync(
            store,
            [
                .. Enumerable.Range(1, 8).Select(number => Part(number) with { DecidedAt = Start.AddMinutes(number == 6 ? -90 : number) }),
                Part(1) with { Id = "biscuit-1/20261122T000000Z/1", DecidedAt = Start.AddDays(-1) },
                Part(9) with { Id = "biscuit-1/20261124T000000Z/9", DecidedAt = Start.AddDays(1) },
                Part(10) with { Id = "other-1/20261122T000000Z/10", Station = "other-1", DecidedAt = Start.AddDays(-1) },
            ]);

        // Of a station without a passed test, all.
        Assert.Equal([6, 7, 8, 9, 10], Numbers(new LedgerQuery { SinceGoodChallenge = true }));
        Assert.Equal([6, 7, 8, 9], Numbers(new LedgerQuery { SinceGoodChallenge = true, Station = "biscuit-1" }));

        long[] Numbers(LedgerQuery query) => [.. store.Reader.Read(query).Select(part => part.Number)];
    }

    [Fact]
    public async Task HistoryOutlivesThePartsAndIsForgottenAfterItsOwnTime()
    {
        using var store = Opened(
            options: new LedgerOptions
            {
                Retention = TimeSpan.FromHours(1),
                HistoryRetention = TimeSpan.FromDays(10),
                BatchInterval = TimeSpan.FromSeconds(10), // The days of this test are fewer steps so.
            });
        store.BeginRun(Run);
        store.Offer(Challenge("c1", ChallengeOutcome.Passed, 1));
        store.Offer("biscuit-1", Publishing.Some.Alarm(AlarmCode.BinFull, Start));
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        await UntilAsync(() => store.Reader.Alarms(new LedgerQuery()).Count == 1);

        _time.Advance(TimeSpan.FromDays(9));
        await UntilAsync(() => store.Reader.Alarms(new LedgerQuery()).Count == 1 && _time.GetUtcNow() > Start.AddDays(9).AddSeconds(20));
        Assert.Single(store.Reader.Challenges(new LedgerQuery()));
        _time.Advance(TimeSpan.FromDays(2));
        await UntilAsync(() => store.Reader.Alarms(new LedgerQuery()).Count == 0);

        Assert.Empty(store.Reader.Challenges(new LedgerQuery()));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public void PeopleCanReadTheLedgerToo()
    {
        Opened().Dispose();

        Sql("SELECT * FROM parts_readable");
    }

    [Fact]
    public void AMissingLedgerIsSaidInOneLine() =>
        Assert.Equal(
            $"{_folder["ledger.db"]}: there is no ledger; check the data folder.",
            Assert.Throws<LedgerException>(() => new LedgerReader(_folder["ledger.db"]).Runs()).Message);

    private static PartRecord Part(long number) => new()
    {
        Id = $"{Run.Id}/{number}",
        Number = number,
        Station = "biscuit-1",
        Verdict = Verdict.Pass,
        Reason = Reason.None,
        Disposition = Disposition.Pass,
        Label = "good",
        Score = 0.01,
        Views = 3,
        Offset = 80.5 * number,
        Across = -3.25,
        Length = 60,
        Lanes = 1,
        EntrySeen = true,
        DecisionMilliseconds = 4.5,
        DecidedAt = Start.AddSeconds(number),
        Recipe = "standard",
        Model = "biscuit 1.0.0",
        IsSimulated = true,
    };

    private static ChallengeRecord Challenge(string number, ChallengeOutcome outcome, int minute) => new()
    {
        Id = $"{Run.Id}/{number}",
        Run = Run.Id,
        Station = "biscuit-1",
        Who = "Ann",
        Defect = null,
        StartedAt = Start.AddMinutes(minute),
        EndedAt = Start.AddMinutes(minute + 0.5),
        Outcome = outcome,
        AfterPart = 0,
        LastPart = 2,
        Pieces = [new("hole", IsGood: false, 1, "hole", 0.9, 0.4), new("good", IsGood: true), new("burnt", IsGood: false)],
    };

    private LedgerStore Store(string folder, LedgerOptions? options = null) =>
        new(options ?? new LedgerOptions(), folder, _time, NullLogger.Instance);

    private LedgerStore Opened(string? folder = null, LedgerOptions? options = null)
    {
        var store = Store(folder ?? _folder.Path, options);
        store.Open();
        return store;
    }

    /// <summary>Offers the parts and stops the writer, which writes them.</summary>
    private static async Task WriteAsync(LedgerStore store, params PartRecord[] parts)
    {
        foreach (var part in parts)
        {
            store.Offer(part);
        }

        await store.RunAsync(new CancellationToken(canceled: true));
    }

    /// <summary>Lets the ledger's clock run until the condition holds.</summary>
    private async Task UntilAsync(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), "It did not come about within 30 s.");
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
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
