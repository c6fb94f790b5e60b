using System.Text.Json;
using EdgeInspector.Publishing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>What waits for the broker, on a real disk.</summary>
public sealed class OutboxTests : IDisposable
{
    private const string Station = "biscuit-1";

    private readonly TemporaryFolder _folder = new();
    private readonly WallClock _time = new(Some.Instant);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WhatIsAppendedIsThereAfterARestartInOrderAndOnce()
    {
        await using (var box = Open())
        {
            for (var n = 1; n <= 5; n++)
            {
                await box.LabelAsync(n);
            }

            // The same once more, as somebody would who never heard that it was taken.
            await box.LabelAsync(3);
        }

        await using var again = Open();
        await again.LabelAsync(6);

        Assert.Equal([1, 2, 3, 4, 5, 6], Labels(again.Outbox));
        Assert.Equal(6, again.Outbox.Figures.Records);
    }

    [Fact]
    public async Task WhatIsAcknowledgedIsNotReadAgain()
    {
        await using (var box = Open())
        {
            for (var n = 1; n <= 3; n++)
            {
                await box.LabelAsync(n);
            }

            box.Outbox.Acknowledge(Read(box.Outbox)[1].Sequence);
            Assert.Equal([1, 3], Labels(box.Outbox));
        }

        await using var again = Open();
        await again.StartedAsync();
        Assert.Equal([1, 3], Labels(again.Outbox));
    }

    [Fact]
    public async Task ASequenceIsNeverGivenTwice()
    {
        await using var box = Open();
        await box.LabelAsync(1);
        var first = Read(box.Outbox)[0].Sequence;
        box.Outbox.Acknowledge(first);
        await box.LabelAsync(2);
        await box.LabelAsync(3);

        Assert.All(Read(box.Outbox), message => Assert.True(message.Sequence > first));
    }

    [Fact]
    public async Task TheOldestPicturesGoWhenThereAreTooManyBytesAndTheGapIsTold()
    {
        await using var box = Open(new OutboxOptions { PictureMegabytes = 1, ReserveMegabytes = 0, PictureQueue = 1000 });
        for (var n = 1; n <= 100; n++)
        {
            box.Offer(n, 20_000);
        }

        await box.LabelAsync(1);
        await box.LabelAsync(2);

        Assert.InRange(box.Outbox.Figures.PictureBytes, 1, 1_000_000);
        Assert.EndsWith("/100/image", box.Outbox.Read(Station, Keeping.Picture, 0, 1000, long.MaxValue)[^1].Message.Id);
        var gaps = Gaps(box.Outbox);
        Assert.All(gaps, gap => Assert.Equal((GapKind.Pictures, "more waits than is allowed to"), (gap.Kind, gap.Why)));
        Assert.Equal(100 - box.Outbox.Figures.Pictures, box.Outbox.GivenUp);
    }

    [Fact]
    public async Task WhatWaitedTooLongGoesAndAClockThatIsSetMakesNothingOld()
    {
        await using var box = Open(new OutboxOptions { PictureAge = TimeSpan.FromHours(1), ReserveMegabytes = 0 });
        box.Offer(1, 100);
        await box.LabelAsync(1);

        // The device learns the year.
        _time.Set = TimeSpan.FromDays(1000);
        await box.SweepAsync();
        Assert.Equal(1, box.Outbox.Figures.Pictures);

        for (var minutes = 0; minutes < 70; minutes += 10)
        {
            _time.Advance(TimeSpan.FromMinutes(10));
        }

        await box.SweepAsync();
        Assert.Equal(0, box.Outbox.Figures.Pictures);
        Assert.Equal([1], Labels(box.Outbox));
    }

    [Fact]
    public async Task PicturesLeaveTheDisksReserveAloneAndComeBackWithTheSpace()
    {
        var free = 10_000_000_000L;
        await using var box = Open(new OutboxOptions { ReserveMegabytes = 256 }, () => Volatile.Read(ref free));
        box.Offer(1, 5000);
        await box.LabelAsync(1);
        Assert.Equal(1, box.Outbox.Figures.Pictures);

        Volatile.Write(ref free, 100_000_000);
        await box.SweepAsync();
        box.Offer(2, 5000);
        await box.LabelAsync(2);
        Assert.Equal((0, 2), (box.Outbox.Figures.Pictures, Labels(box.Outbox).Count));

        Volatile.Write(ref free, 10_000_000_000L);
        await box.SweepAsync();
        box.Offer(3, 5000);
        await box.LabelAsync(3);
        Assert.Equal((1, 3), (box.Outbox.Figures.Pictures, Labels(box.Outbox).Count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096 + 17)]
    public async Task ADamagedFileIsSetAsideToldAndNoCrash(int at)
    {
        await using (var box = Open())
        {
            for (var n = 1; n <= 200; n++)
            {
                box.Offer(n, 500);
            }

            await box.LabelAsync(1);
        }

        var bytes = File.ReadAllBytes(Path.Combine(_folder.Path, "outbox.db"));
        Random.Shared.NextBytes(bytes.AsSpan(at, Math.Min(8192, bytes.Length - at)));
        File.WriteAllBytes(Path.Combine(_folder.Path, "outbox.db"), bytes);

        await using var again = Open();
        await again.LabelAsync(2);
        await again.LabelAsync(3);

        Assert.Equal([2, 3], Labels(again.Outbox));
        Assert.Contains(Gaps(again.Outbox), gap => gap.Kind == GapKind.Records && gap.Count is null);
        Assert.True(File.Exists(Path.Combine(_folder.Path, "outbox-damaged.db")));
        Assert.Contains("outbox-damaged.db", Assert.Single(again.Alarms));
    }

    [Fact]
    public async Task AFileThatIsDeletedUnderItsFeetIsBegunAnew()
    {
        await using var box = Open();
        await box.LabelAsync(1);

        File.Delete(Path.Combine(_folder.Path, "outbox.db"));
        await box.LabelAsync(2);

        Assert.Equal([2], Labels(box.Outbox));
        Assert.Contains("deleted", Assert.Single(box.Alarms));
    }

    [Fact]
    public async Task WhatDoesNotFitInMemoryIsRefusedCountedAndTold()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "outbox.db"));
        await using var box = Open(new OutboxOptions { RecordQueue = 100, PictureQueue = 1, ReserveMegabytes = 0 });
        var taken = 0;
        // More than a batch that has been taken already and the queue behind it.
        for (var n = 1; n <= 1000; n++)
        {
            box.Offer(n, 100);
            taken += box.Outbox.Offer(Record(n)) ? 1 : 0;
        }

        Assert.InRange(taken, 100, 500);
        await Assert.ThrowsAsync<IOException>(() => box.LabelAsync(2000));
        Directory.Delete(Path.Combine(_folder.Path, "outbox.db"));
        await box.SweepAsync(() => box.Outbox.Figures.Records >= taken);

        await box.LabelAsync(3000);
        Assert.Contains(Gaps(box.Outbox), gap => gap is { Kind: GapKind.Records } && gap.Count >= 1000 - taken);
    }

    /// <summary>A disk that somebody else fills to the last byte, and that is emptied again.</summary>
    [Fact]
    public async Task AFullDiskCostsPicturesAndNoRecord()
    {
        var disk = Directory.CreateDirectory(Path.Combine(_folder.Path, "disk")).FullName;
        Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk), "mounting a disk to fill needs root");
        try
        {
            await using var box = Open(folder: disk);
            await box.LabelAsync(1);
            var filler = Path.Combine(disk, "filler");
            await using (var file = File.Create(filler))
            {
                var block = new byte[4096];
                try
                {
                    while (true)
                    {
                        file.Write(block);
                        file.Flush();
                    }
                }
                catch (IOException)
                {
                    // Full.
                }
            }

            for (var n = 1; n <= 50; n++)
            {
                box.Offer(n, 20_000);
            }

            var kept = Task.WhenAll(Enumerable.Range(2, 20).Select(n => Some.LabelAsync(box.Outbox, n)));
            await box.SweepAsync(() => box.Outbox.State == "the disk is full");
            Assert.False(kept.IsCompleted);

            File.Delete(filler);
            var freedAt = _time.GetUtcNow();
            await box.AdvanceUntilAsync(kept);

            Assert.InRange((_time.GetUtcNow() - freedAt).TotalSeconds, 0, 60);
            Assert.Equal(Enumerable.Range(1, 21), Labels(box.Outbox));
            box.Offer(51, 20_000);
            await box.LabelAsync(22);
            Assert.Equal(1, box.Outbox.Figures.Pictures);
            Assert.Contains(Gaps(box.Outbox), gap => gap is { Kind: GapKind.Pictures, Why: "the disk is full", Count: 50 });
        }
        finally
        {
            await RunAsync("umount", "-l", disk);
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true }
        )!;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode == 0;
    }

    /// <summary>
    /// The power fails: whatever was promised to be kept is there afterwards, in order and once, wherever the log breaks off behind
    /// the last promise.
    /// </summary>
    [Fact]
    public async Task APowerCutTakesNothingThatWasPromised()
    {
        var random = new Random(20261123);
        var promised = new List<int>();
        var acknowledged = new HashSet<int>();
        await using var box = Open();
        var path = box.Outbox.Path;
        for (var n = 1; n <= 60; n++)
        {
            await box.LabelAsync(n);
            promised.Add(n);
            var kept = new FileInfo(path + "-wal").Length;
            if (random.Next(3) == 0)
            {
                var oldest = Read(box.Outbox)[0];
                acknowledged.Add(NumberOf(oldest));
                box.Outbox.Acknowledge(oldest.Sequence);
            }

            // Written and not promised: may be torn anywhere.
            box.Offer(n, random.Next(1, 20_000));
            await box.SettleAsync();

            using var cut = new TemporaryFolder();
            File.Copy(path, Path.Combine(cut.Path, "outbox.db"));
            var log = File.ReadAllBytes(path + "-wal");
            File.WriteAllBytes(
                Path.Combine(cut.Path, "outbox.db-wal"),
                log[..random.Next((int)Math.Min(kept, log.Length), log.Length + 1)]
            );
            await using var after = Open(folder: cut.Path);
            await after.StartedAsync();

            var found = Labels(after.Outbox);
            Assert.Equal(found.Order(), found);
            Assert.Equal(found.Distinct(), found);
            Assert.Empty(promised.Except(acknowledged).Except(found));
            Assert.Empty(found.Except(promised));
        }
    }

    private static OutgoingMessage Record(int n) =>
        OutgoingMessage.Of(
            Contract.Label,
            Station,
            new LabelPayload
            {
                Id = $"label-{n}",
                Station = Station,
                ResultId = "r",
                Label = "broken",
                By = "ann",
                At = Some.Instant,
            },
            $"label-{n}"
        );

    private static IReadOnlyList<StoredMessage> Read(Outbox outbox) =>
        [.. outbox.Read(Station, Keeping.Record, 0, 10_000, long.MaxValue).Where(message => message.Message.Kind == Contract.Label)];

    private static int NumberOf(StoredMessage message) => int.Parse(message.Message.Id!["label-".Length..]);

    private static List<int> Labels(Outbox outbox) => [.. Read(outbox).Select(NumberOf)];

    private static List<GapPayload> Gaps(Outbox outbox) =>
        [
            .. outbox
                .Read(Station, Keeping.Record, 0, 10_000, long.MaxValue)
                .Where(message => message.Message.Kind == Contract.Gap)
                .Select(message => JsonSerializer.Deserialize(message.Message.Payload.Span, PayloadJson.Default.GapPayload)!),
        ];

    private Box Open(OutboxOptions? options = null, Func<long>? free = null, string? folder = null) =>
        new(options ?? new OutboxOptions { ReserveMegabytes = 0, PictureQueue = 1000 }, folder ?? _folder.Path, _time, free);

    /// <summary>A clock whose wall time can be set while its monotonic time goes on.</summary>
    private sealed class WallClock(DateTimeOffset start) : FakeTimeProvider(start)
    {
        public TimeSpan Set { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Set;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;
    }

    /// <summary>An outbox at work on a clock that stands still unless it is moved.</summary>
    private sealed class Box : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly FakeTimeProvider _time;
        private readonly Task _running;

        public Box(OutboxOptions options, string folder, FakeTimeProvider time, Func<long>? free)
        {
            _time = time;
            Outbox = new Outbox(options, folder, time, NullLogger<Outbox>.Instance, free is null ? null : _ => free())
            {
                Damaged = Alarms.Add,
            };
            Outbox.Follow(Station);
            _running = Outbox.RunAsync(_stop.Token);
        }

        public Outbox Outbox { get; }

        public List<string> Alarms { get; } = [];

        public void Offer(int n, int bytes) =>
            Outbox.Offer(
                new OutgoingMessage
                {
                    Kind = Contract.Image,
                    Station = Station,
                    Parameter = $"{Station}/run/{n}",
                    Id = $"{Station}/run/{n}/image",
                    Payload = new byte[bytes],
                }
            );

        public Task LabelAsync(int n) => AdvanceUntilAsync(Some.LabelAsync(Outbox, n));

        public Task StartedAsync() => SweepAsync(() => Outbox.State == "ok");

        /// <summary>Until what was handed over is on the disk.</summary>
        public Task SettleAsync()
        {
            var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Outbox.Wrote = () => written.TrySetResult();
            return AdvanceUntilAsync(written.Task);
        }

        /// <summary>Until a sweep, which is made each ten seconds, has certainly been made.</summary>
        public Task SweepAsync()
        {
            var (before, turns) = (Outbox.Figures, 0);
            return SweepAsync(() =>
            {
                if (!ReferenceEquals(before, Outbox.Figures))
                {
                    (before, turns) = (Outbox.Figures, turns + 1);
                }

                return turns > 2;
            });
        }

        public async Task SweepAsync(Func<bool> done)
        {
            for (var i = 0; i < 600 && !done(); i++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
            }

            Assert.True(done());
        }

        public async Task AdvanceUntilAsync(Task done)
        {
            while (!done.IsCompleted)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                await Task.WhenAny(done, Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken));
            }

            await done;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await AdvanceUntilAsync(_running);
            Outbox.Dispose();
            _stop.Dispose();
        }
    }
}
