using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Tests.Publishing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using TemporaryFolder = EdgeInspector.Tests.Publishing.TemporaryFolder;

namespace EdgeInspector.Tests.Ledger;

/// <summary>The ledger for whoever passes its parts on.</summary>
public sealed class LedgerFeedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Some.Instant.AddHours(1));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AStationBeginsBehindWhatWasThereAndSeesItsOwnPartsInOrder()
    {
        await using var book = Open();
        await book.WriteAsync(1, 5, "left");
        var mark = book.Feed.Mark("left");
        await book.WriteAsync(6, 8, "left");
        await book.WriteAsync(1, 4, "right");
        await book.WriteAsync(9, 9, "left");

        var stretch = book.Feed.Read("left", mark, 100);

        Assert.Equal([6L, 7, 8, 9], stretch.Parts.Select(part => part.Part.Number));
        Assert.Equal(13, stretch.Through);
        Assert.Equal(13, book.Feed.Read("right", stretch.Through, 100).Through);
        Assert.Equal([6L, 7], book.Feed.Read("left", mark, 2).Parts.Select(part => part.Part.Number));
    }

    [Fact]
    public async Task TheMarkIsThereAfterARestartAlsoTheVeryFirst()
    {
        await using (var book = Open())
        {
            await book.WriteAsync(1, 3, "left");
            book.Feed.Mark("left");
            book.Feed.Mark("right");
            await book.WriteAsync(4, 6, "left");
            await book.WriteAsync(1, 2, "right");
            book.Feed.Acknowledge("left", 5);
        }

        await using var again = Open();

        Assert.Equal([6L], again.Feed.Read("left", again.Feed.Mark("left"), 10).Parts.Select(part => part.Part.Number));
        Assert.Equal([1L, 2], again.Feed.Read("right", again.Feed.Mark("right"), 10).Parts.Select(part => part.Part.Number));
    }

    /// <summary>A power cut takes the last parts and gives their sequences to others; the mark must not be ahead of them.</summary>
    [Fact]
    public async Task APowerCutTakesTheMarkBackWithTheParts()
    {
        using var cut = new TemporaryFolder();
        await using (var book = Open())
        {
            book.Feed.Mark("left");
            await book.WriteAsync(1, 3, "left");
            book.Feed.Acknowledge("left", 3);
            await book.WriteAsync(4, 4, "left");
            foreach (var file in (string[])["ledger.db", "ledger.db-wal"])
            {
                File.Copy(Path.Combine(_folder.Path, file), Path.Combine(cut.Path, file));
            }

            await book.WriteAsync(5, 9, "left");
            book.Feed.Acknowledge("left", 9);
        }

        await using var after = Open(cut.Path);
        await after.WriteAsync(20, 22, "left");

        Assert.Equal([4L, 20, 21, 22], after.Feed.Read("left", after.Feed.Mark("left"), 10).Parts.Select(part => part.Part.Number));
    }

    [Fact]
    public async Task ALedgerThatIsDeletedAndBegunAnewIsReadFromItsBeginning()
    {
        await using var book = Open();
        book.Feed.Mark("left");
        await book.WriteAsync(1, 5, "left");
        book.Feed.Acknowledge("left", 5);
        foreach (var file in Directory.GetFiles(_folder.Path, "ledger.db*"))
        {
            File.Delete(file);
        }

        await book.WriteAsync(6, 7, "left");

        Assert.Equal([6L, 7], book.Feed.Read("left", book.Feed.Mark("left"), 10).Parts.Select(part => part.Part.Number));
    }

    [Fact]
    public async Task WhatRetentionTookIsCountedAndNoSequenceIsGivenTwice()
    {
        await using var book = Open(options: new LedgerOptions { Retention = TimeSpan.FromHours(2) });
        book.Feed.Mark("left");
        await book.WriteAsync(1, 10, "left");
        _time.Advance(TimeSpan.FromHours(3));
        await book.TurnAsync();
        await book.WriteAsync(11, 12, "left");

        var stretch = book.Feed.Read("left", 0, 100);

        // The last one stays, or the next would get its sequence.
        Assert.Equal((9, 12L), (stretch.Removed, stretch.Through));
        Assert.Equal([10L, 11, 12], stretch.Parts.Select(part => part.Part.Number));
    }

    private Book Open(string? folder = null, LedgerOptions? options = null) => new(folder ?? _folder.Path, _time, options ?? new LedgerOptions());

    /// <summary>A ledger that is written when the test says so.</summary>
    private sealed class Book : IAsyncDisposable
    {
        private readonly FakeTimeProvider _time;
        private readonly LedgerStore _store;
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Book(string folder, FakeTimeProvider time, LedgerOptions options)
        {
            _time = time;
            _store = new LedgerStore(options, folder, time, NullLogger.Instance);
            _store.Open();
            Feed = new LedgerFeed(_store);
            _running = _store.RunAsync(_stop.Token);
        }

        public LedgerFeed Feed { get; }

        public async Task WriteAsync(long from, long to, string station)
        {
            var before = _store.Written;
            for (var n = from; n <= to; n++)
            {
                _store.Offer(Some.Record(n, station));
            }

            while (_store.Written < before + to - from + 1)
            {
                await TurnAsync();
            }
        }

        public async Task TurnAsync()
        {
            for (var i = 0; i < 3; i++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            while (!_running.IsCompleted)
            {
                await TurnAsync();
            }

            await _running;
            Feed.Dispose();
            _store.Dispose();
            _stop.Dispose();
        }
    }
}
