using System.Text.Json;
using EdgeInspector.Line;
using EdgeInspector.Samples;
using EdgeInspector.Tests.Publishing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace EdgeInspector.Tests.Samples;

public sealed class SampleStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Some.Instant);
    private readonly HeardLog<SampleStore> _log = new();

    private string Root => Path.Combine(_folder.Path, "samples");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task APictureIsKeptInItsStationsFolderOfTheDay()
    {
        var store = await RunAsync(Some.Picture(42));

        var stem = Path.Combine(Root, "biscuit-1", "2026-11-23", "20261123T144800Z-42");
        Assert.Equal(Some.Picture(42).Crop.ToArray(), File.ReadAllBytes(stem + "-crop.jpg"));
        Assert.Equal(Some.Picture(42).Context.ToArray(), File.ReadAllBytes(stem + "-context.jpg"));
        var sidecar = JsonDocument.Parse(File.ReadAllBytes(stem + ".json")).RootElement;
        Assert.Equal("ei.sample/1", sidecar.GetProperty("schema").GetString());
        Assert.Equal("biscuit-1/20261123T144800Z/42", sidecar.GetProperty("id").GetString());
        Assert.Equal("Reject", sidecar.GetProperty("verdict").GetString());
        Assert.Equal("20261123T144800Z-42-crop.jpg", sidecar.GetProperty("crop").GetString());
        Assert.Equal(3, Files().Count);
        Assert.Equal(1, store.Written);
        Assert.Equal(Files().Sum(file => new FileInfo(file).Length), store.Bytes);
    }

    [Fact]
    public async Task NamesFromOutsideStayInsideTheFolder()
    {
        var picture = Some.Picture(1) with { PartId = "../../etc/passwd", Station = "../.." };

        await RunAsync(picture);

        Assert.All(Files(), file => Assert.StartsWith(Root + "/", file));
        Assert.Equal(3, Files().Count);
        Assert.Equal([Root], Directory.GetDirectories(_folder.Path));
    }

    [Fact]
    public async Task TheOldestMakeRoomWhenTheQuotaIsReached()
    {
        var pictures = Enumerable.Range(1, 10).Select(n => Some.Picture(n, bytes: 100_000)).ToArray();

        var store = await RunAsync(pictures, o => o.Quota = 1_000_000);

        Assert.InRange(store.Bytes, 800_000, 1_000_000);
        Assert.Equal(store.Bytes, Files().Sum(file => new FileInfo(file).Length));
        Assert.Equal(4, Files(".json").Count);
        Assert.EndsWith("-7.json", Files(".json")[0]);
    }

    [Fact]
    public async Task TheQuotaCountsWhatEarlierRunsLeft()
    {
        await RunAsync([.. Enumerable.Range(1, 4).Select(n => Some.Picture(n, bytes: 100_000))]);
        var store = await RunAsync(
            [.. Enumerable.Range(5, 2).Select(n => Some.Picture(n, bytes: 100_000))],
            o => o.Quota = 1_000_000
        );

        Assert.Equal(4, Files(".json").Count);
        Assert.InRange(store.Bytes, 800_000, 1_000_000);
        Assert.DoesNotContain(Files(), file => file.EndsWith("-1.json"));
        Assert.Contains(Files(), file => file.EndsWith("-6.json"));
    }

    [Fact]
    public async Task PicturesOlderThanAllowedAreRemovedAndTheirFoldersToo()
    {
        await RunAsync(Some.Picture(1));
        foreach (var file in Files())
        {
            File.SetLastWriteTimeUtc(file, Some.Instant.UtcDateTime.AddDays(-31));
        }

        await RunAsync(Some.Picture(2) with { TakenAt = Some.Instant.AddDays(1) });

        var station = Path.Combine(Root, "biscuit-1");
        Assert.Equal([Path.Combine(station, "2026-11-24")], Directory.GetDirectories(station));
    }

    [Fact]
    public async Task WhatACrashLeftUnfinishedIsRemovedAtTheNextStart()
    {
        await RunAsync(Some.Picture(1));
        var day = Path.GetDirectoryName(Files()[0])!;
        File.WriteAllText(Path.Combine(day, "a-crop.jpg"), "no sidecar");
        File.WriteAllText(Path.Combine(day, "b-context.jpg.tmp"), "half");
        File.WriteAllText(Path.Combine(day, "notes.txt"), "somebody's own");

        await RunAsync();

        Assert.Equal(4, Files().Count);
        Assert.Contains(Files(), file => file.EndsWith("notes.txt"));
    }

    [Fact]
    public async Task ADiskInTroubleIsReportedOnceAndUsedAgainWhenItIsWell()
    {
        // A file where the folder should be: even root cannot write beneath it.
        File.WriteAllText(Root, "in the way");
        var options = new SamplesOptions
        {
            Folder = Root,
            QueueCapacity = 3,
            MinFree = 0,
            RetryInterval = TimeSpan.FromMilliseconds(100),
        };
        var store = new SampleStore(options, TimeProvider.System, _log);
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        await _log.WaitForAsync("Pictures cannot be kept");
        for (var n = 1; n <= 10; n++)
        {
            store.Offer(Some.Picture(n));
        }

        Assert.Contains(Root, store.DiskState);
        Assert.Equal(7, store.Shed);
        Assert.False(running.IsCompleted);

        File.Delete(Root);
        await _log.WaitForAsync("Pictures are kept");
        await stop.CancelAsync();
        await running.Patiently();

        Assert.Equal("ok", store.DiskState);
        Assert.Equal(3, store.Written);
        Assert.Equal(7, store.Shed);
        Assert.Single(_log.Lines, line => line.Contains("cannot be kept"));
    }

    [Fact]
    public async Task SpaceThatOthersNeedIsLeftAlone()
    {
        var store = await RunAsync([Some.Picture(1)], o => o.MinFree = 10_000_000_000_000);

        Assert.Contains("Samples:MinFree", store.DiskState);
        Assert.Equal(1, store.Shed);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task SwitchedOffItWritesNothing()
    {
        var store = await RunAsync([Some.Picture(1)], o => o.Enabled = false);

        Assert.Equal("off", store.DiskState);
        Assert.False(Directory.Exists(Root));
    }

    private Task<SampleStore> RunAsync(params EvidencePicture[] pictures) => RunAsync(pictures, null);

    /// <summary>One run: starts, takes the pictures, writes them all and stops.</summary>
    private async Task<SampleStore> RunAsync(EvidencePicture[] pictures, Action<SamplesOptions>? change)
    {
        var options = new SamplesOptions { Folder = Root, MinFree = 0 };
        change?.Invoke(options);
        var store = new SampleStore(options, _time, _log);
        foreach (var picture in pictures)
        {
            store.Offer(picture);
        }

        // Stopped already: it writes what is queued and returns.
        await store.RunAsync(new CancellationToken(canceled: true)).Patiently();
        return store;
    }

    private List<string> Files(string end = "") =>
        Directory.Exists(Root)
            ? [.. Directory.EnumerateFiles(Root, "*" + end, SearchOption.AllDirectories).Order(new ByNumber())]
            : [];

    private sealed class ByNumber : IComparer<string>
    {
        public int Compare(string? x, string? y) =>
            (x!.Length, x).CompareTo((y!.Length, y));
    }
}
