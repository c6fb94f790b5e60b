using System.Diagnostics;
using EdgeInspector.Capture;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using EdgeInspector.Vision;
using Microsoft.Extensions.Logging.Abstractions;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Capture;

public sealed class CaptureLoopTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly TempFolder _folder = new();
    private readonly FrameSlot _slot = new();
    private CaptureLoop? _loop;

    public void Dispose()
    {
        _loop?.Dispose();
        _slot.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task EveryPictureOfARecordingIsDeliveredAndTheLoopEnds()
    {
        var loop = Start(Pictures.WriteVideo(_folder["belt.avi"], frames: 200, rate: 50));

        var frames = Drain();

        await loop.Completion.WaitAsync(Long, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, 200).Select(number => (long)number), frames.Select(frame => frame.Sequence));
        Assert.All(frames.Zip(frames.Skip(1)), pair => Assert.Equal(20e6, pair.Second.CapturedAt - pair.First.CapturedAt, 1e4));
        Assert.Equal("ended", loop.State);
        Assert.Equal((200, 0, 0), (loop.Frames, loop.Dropped, loop.Unreadable));
    }

    [Fact]
    public async Task ARecordingPlaysAtItsOwnPace()
    {
        var options = Quick(Pictures.WriteVideo(_folder["belt.avi"], frames: 10, rate: 20));
        options.Pace = true;
        var loop = Make(options);
        var watch = Stopwatch.StartNew();
        loop.Start();

        Assert.Equal(10, Drain().Count);

        await loop.Completion.WaitAsync(Long, TestContext.Current.CancellationToken);
        Assert.True(watch.Elapsed > TimeSpan.FromMilliseconds(440), $"{watch.Elapsed}");
    }

    [Fact]
    public async Task AnUnreadablePictureIsCountedAndTheOthersAreInspected()
    {
        Pictures.Write(_folder["1.png"], 1);
        _folder.Write("2.png", "");
        Pictures.Write(_folder["3.png"], 3);
        var loop = Start(_folder.Path);

        Assert.Equal(2, Drain().Count);

        await loop.Completion.WaitAsync(Long, TestContext.Current.CancellationToken);
        Assert.Equal((2, 1), (loop.Frames, loop.Unreadable));
    }

    [Fact]
    public void ACameraThatIsNotThereIsRefusedWhenOpenedBeforeTheStart()
    {
        var loop = Make(new CameraOptions { Source = "/dev/video97" });

        Assert.StartsWith("/dev/video97: there is no such device", Assert.Throws<CameraException>(loop.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ACameraThatIsNotThereIsWaitedForOnceStarted()
    {
        var attempts = 0;
        var loop = Make(Quick("camera"), () => ++attempts < 4
            ? throw new CameraException("camera", "is not there", "plug it in")
            : new ScriptedCamera());
        loop.Start();

        Until(() => loop.Frames > 0);

        Assert.Equal("connected", loop.State);
        Assert.Equal(4, attempts);
        Assert.Equal(0, loop.Reconnects);
    }

    [Fact]
    public void ALostCameraIsSaidInTheStateAndOpenedAgain()
    {
        var camera = new ScriptedCamera { FailsAfter = 3 };
        var opened = 0;
        using var mayOpen = new ManualResetEventSlim();
        var loop = Make(Quick("camera"), () => opened++ == 0 ? camera
            : mayOpen.IsSet ? new ScriptedCamera()
            : throw new CameraException("camera", "is not there", "plug it in"));
        loop.Start();

        Until(() => loop.State == "camera: is not there; plug it in.");
        Assert.True(camera.IsDisposed);
        mayOpen.Set();
        Until(() => loop.Reconnects == 1 && loop.State == "connected");

        Assert.False(loop.Completion.IsCompleted);
    }

    [Fact]
    public void ADriverThatDoesNotReturnIsSilentUntilItDoes()
    {
        using var blocked = new ManualResetEventSlim();
        var driver = new Liveness();
        var options = Quick("camera");
        _loop = new CaptureLoop(
            "belt", options, () => new ScriptedCamera { BlocksOn = blocked }, _slot, TimeProvider.System, NullLogger.Instance, driver: driver);
        Assert.Equal(Instant.Never, driver.SilentSince);
        _loop.Start();
        Assert.True(SpinWait.SpinUntil(() => driver.SilentSince != Instant.Never, Long));
        blocked.Set();
        _loop.Dispose();
        Assert.Equal(Instant.Never, driver.SilentSince);
    }

    [Fact]
    public void ACameraThatBringsNothingIsSaidWhileItsReadStillBlocks()
    {
        using var blocked = new ManualResetEventSlim();
        var loop = Make(Quick("camera"), () => new ScriptedCamera { BlocksOn = blocked });
        loop.Start();

        Until(() => loop.State.StartsWith("no picture for", StringComparison.Ordinal));
        blocked.Set();
        Until(() => loop.State == "connected");
    }

    [Fact]
    public void ACameraThatRepeatsItsLastPictureIsOpenedAgainAndTheRepeatsAreNotInspected()
    {
        var opened = 0;
        var loop = Make(Quick("camera"), () => new ScriptedCamera { FreezesAfter = opened++ == 0 ? 5 : int.MaxValue });
        loop.Start();

        Until(() => loop.Reconnects == 1 && loop.Frames > loop.Stale + 6);

        Assert.InRange(loop.Stale, 1, loop.Frames - 7);
    }

    [Fact]
    public void ARepeatedPictureIsInspectedWhereItMayHappen()
    {
        var options = Quick("camera");
        options.DetectFrozenPicture = false;
        var loop = Make(options, () => new ScriptedCamera { FreezesAfter = 0 });
        loop.Start();

        Until(() => loop.Frames > 100);

        Assert.Equal((0, 0), (loop.Stale, loop.Reconnects));
    }

    [Fact]
    public void ACameraThatComesBackWithAnotherSizeIsNotInspected()
    {
        var opened = 0;
        var loop = Make(Quick("camera"), () => opened++ == 0
            ? new ScriptedCamera { FailsAfter = 1 }
            : new ScriptedCamera { Width = 128 });
        loop.Start();

        Until(() => loop.State.StartsWith("camera: now gives 128 x 48, not 64 x 48; ", StringComparison.Ordinal));

        Assert.Equal(1, loop.Frames);
    }

    [Fact]
    public async Task AnythingUnforeseenFailsTheLoop()
    {
        var loop = Make(Quick("camera"), () => new ScriptedCamera { Throws = new InvalidOperationException("out of\nthe blue") });
        loop.Start();

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(
            () => loop.Completion.WaitAsync(Long, TestContext.Current.CancellationToken));

        Assert.Equal("out of\nthe blue", fault.Message);
        Assert.Equal("failed: out of the blue", loop.State);
        Assert.True(_slot.IsDrained);
    }

    [Fact]
    public void FramesNobodyTakesAreDroppedAndCountedAndTheNewestIsTaken()
    {
        var camera = new ScriptedCamera();
        var loop = Make(Quick("camera"), () => camera);
        loop.Start();

        Until(() => loop.Frames > 500);
        using var taken = _slot.Take(Long);

        Assert.True(taken!.Sequence > 400);
        Assert.True(loop.Dropped > 400);
    }

    [Fact]
    public void WithoutAFreeFrameTheCameraIsStillEmptied()
    {
        var loop = Make(Quick("camera"), () => new ScriptedCamera());
        loop.Start();
        var held = new List<Frame>();
        while (held.Count < 3)
        {
            if (_slot.Take(Long) is { } frame)
            {
                held.Add(frame);
            }
        }

        var before = loop.Frames;
        Until(() => loop.Frames > before + 100);

        held.ForEach(frame => frame.Dispose());
        Until(() => loop.State == "connected" && Taken() > held[2].Sequence);

        long Taken()
        {
            using var frame = _slot.Take(Long);
            return frame?.Sequence ?? 0;
        }
    }

    [Fact]
    public async Task AnHttpCameraThatDiesAndComesBackIsFollowed()
    {
        var server = await MjpegServer.StartAsync();
        var port = server.Port;
        try
        {
            var loop = Start(server.Address);
            Until(() => loop.Frames > 20);
            Assert.Equal("connected", loop.State);
            Assert.Equal((Pictures.Width, Pictures.Height), (loop.Width, loop.Height));
            using (var frame = _slot.Take(Long))
            {
                Assert.Equal(MatType.CV_8UC3, frame!.Picture.Type());
            }

            await server.DisposeAsync();
            Until(() => loop.State.StartsWith($"http://127.0.0.1:{port}/stream: does not answer (Connection refused", StringComparison.Ordinal));

            server = await MjpegServer.StartAsync(port);
            var before = loop.Frames;
            Until(() => loop.Reconnects == 1 && loop.Frames > before + 20);
            Assert.Equal("connected", loop.State);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task AnHttpCameraThatFallsSilentIsOpenedAgain()
    {
        await using var server = await MjpegServer.StartAsync();
        var loop = Start(server.Address);
        Until(() => loop.Frames > 20);

        server.IsSilent = true;
        Until(() => loop.State.StartsWith(server.Address, StringComparison.Ordinal));
        server.IsSilent = false;
        Until(() => loop.Reconnects > 0 && loop.State == "connected");
    }

    [Fact]
    public async Task AnHttpCameraThatFreezesIsNoticed()
    {
        await using var server = await MjpegServer.StartAsync();
        var loop = Start(server.Address);
        Until(() => loop.Frames > 20);

        server.IsFrozen = true;
        Until(() => loop.Reconnects > 0);

        Assert.True(loop.Stale > 10);
    }

    [Fact]
    public async Task StoppingDoesNotWaitForASilentCameraLongerThanItsReadTimeout()
    {
        await using var server = await MjpegServer.StartAsync();
        var loop = Start(server.Address);
        Until(() => loop.Frames > 5);
        server.IsSilent = true;
        var watch = Stopwatch.StartNew();

        loop.Dispose();

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(3), $"{watch.Elapsed}");
        Assert.True(loop.Completion.IsCompletedSuccessfully);
        Assert.Equal("stopped", loop.State);
    }

    [Fact]
    public async Task AnRtspCameraThatDiesIsSaidInTheState()
    {
        SkipWithoutFfmpeg();
        string address;
        await using (var server = new RtspServer())
        {
            address = server.Address;
            var loop = Start(address);
            Until(() => loop.Frames > 20);
            Assert.Equal("connected", loop.State);
            using var frame = _slot.Take(Long);
            Assert.Equal((Pictures.Width, Pictures.Height), (frame!.Picture.Width, frame.Picture.Height));
        }

        Until(() => _loop!.State.StartsWith($"{address}: ", StringComparison.Ordinal));
        Assert.DoesNotContain('\n', _loop!.State);
        Assert.False(_loop.Completion.IsCompleted);
    }

    [Fact]
    public async Task AnHttpStreamOfAnotherKindIsDecodedToo()
    {
        SkipWithoutFfmpeg();
        Pictures.WriteVideo(_folder["belt.avi"], frames: 50, rate: 25);
        await using var server = await MjpegServer.StartAsync(file: _folder["belt.avi"]);

        // It is over soon, and opened again as any lost camera is.
        var loop = Start(server.FileAddress);

        Until(() => loop.Frames >= 50 && loop.Reconnects > 0);
    }

    [Theory]
    [InlineData(999.5, 999.5)]
    [InlineData(1_000.5, 1_000)]
    [InlineData(-1, 1_000)]
    [InlineData(double.NaN, 1_000)]
    public void AKernelStampIsBelievedWhenItCanBeOne(double stamp, double expected)
    {
        var start = new Instant(0);

        Assert.Equal(expected, LiveCamera.StampOr(start + TimeSpan.FromSeconds(1), stamp).MillisecondsSince(start));
        Assert.Equal(3_000, LiveCamera.StampOr(start + TimeSpan.FromSeconds(3), stamp).MillisecondsSince(start));
    }

    [Fact]
    public void ADigestTellsOnePixelOfNoise()
    {
        using var one = Pictures.Shade(1);
        using var same = one.Clone();
        using var other = one.Clone();
        other.Set(24, 63, new Vec3b(5, 4, 4));

        Assert.Equal(PictureDigest.Of(one), PictureDigest.Of(same));
        Assert.NotEqual(PictureDigest.Of(one), PictureDigest.Of(other));
    }

    private static void SkipWithoutFfmpeg() => Assert.SkipUnless(
        NativeVideo.HasNetwork || File.Exists("/usr/bin/ffmpeg"), "this OpenCV build has no network and there is no ffmpeg");

    private static CameraOptions Quick(string source) => new()
    {
        Source = source,
        ReadTimeout = TimeSpan.FromMilliseconds(500),
        StaleAfter = TimeSpan.FromMilliseconds(300),
        ReconnectDelay = TimeSpan.FromMilliseconds(10),
        MaximumReconnectDelay = TimeSpan.FromMilliseconds(100),
        FramePoolSize = 3,
        Pace = false,
    };

    private CaptureLoop Make(CameraOptions options, Func<ICamera>? open = null) => _loop = new CaptureLoop(
        "test", options, open ?? (() => Cameras.Open(options, TimeProvider.System)), _slot, TimeProvider.System, NullLogger.Instance);

    private CaptureLoop Start(string source)
    {
        var loop = Make(Quick(source));
        loop.Open();
        loop.Start();
        return loop;
    }

    private List<(long Sequence, long CapturedAt)> Drain()
    {
        var frames = new List<(long, long)>();
        while (!_slot.IsDrained)
        {
            using var frame = _slot.Take(Long);
            if (frame is not null)
            {
                frames.Add((frame.Sequence, frame.CapturedAt));
            }
        }

        return frames;
    }

    private static void Until(Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(condition, Long), "It did not come about within 30 s.");

    /// <summary>A live camera that does what its test says, a thousand pictures a second.</summary>
    private sealed class ScriptedCamera : ICamera
    {
        private int _reads;

        public string Name => "camera";

        public int Width { get; init; } = Pictures.Width;

        public int Height => Pictures.Height;

        public bool IsLive => true;

        public string? Fault { get; private set; }

        public bool IsDisposed { get; private set; }

        public int FailsAfter { get; init; } = int.MaxValue;

        public int FreezesAfter { get; init; } = int.MaxValue;

        public ManualResetEventSlim? BlocksOn { get; init; }

        public Exception? Throws { get; init; }

        public ReadOutcome Read(Mat destination, out Instant capturedAt)
        {
            BlocksOn?.Wait(Long, TestContext.Current.CancellationToken);
            using var tick = new ManualResetEventSlim();
            tick.Wait(1, TestContext.Current.CancellationToken);
            capturedAt = TimeProvider.System.GetInstant();
            if (Throws is not null)
            {
                throw Throws;
            }

            if (_reads >= FailsAfter)
            {
                Fault = "camera: the cable is out";
                return ReadOutcome.Failed;
            }

            using var picture = Pictures.Shade(Math.Min(_reads++, FreezesAfter));
            picture.CopyTo(destination);
            return ReadOutcome.Frame;
        }

        public void Dispose() => IsDisposed = true;
    }
}
