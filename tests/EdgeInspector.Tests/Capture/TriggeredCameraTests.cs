using EdgeInspector.Capture;
using EdgeInspector.Line;
using EdgeInspector.Simulation;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using EdgeInspector.Vision;
using Microsoft.Extensions.Logging.Abstractions;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Capture;

public sealed class TriggeredCameraTests
{
    [Fact]
    public void FramesOfATriggeredCameraWaitTheirTurnAndTheOldestGoesWhereTooManyWait()
    {
        using var pool = new FramePool(Pictures.Width, Pictures.Height, 5);
        using var slot = new FrameSlot(capacity: 3);
        for (var number = 1; number <= 4; number++)
        {
            Assert.True(pool.TryRent(out var frame));
            frame.Sequence = number;
            slot.Put(frame);
        }

        Assert.Equal(1, slot.Dropped);
        for (var number = 2; number <= 4; number++)
        {
            using var frame = slot.Take(TimeSpan.Zero);
            Assert.Equal(number, frame!.Sequence);
        }

        Assert.Null(slot.Take(TimeSpan.Zero));
    }

    [Fact]
    public void VirtualLineExposesEachPartOnceWhereTheTriggerHasIt()
    {
        using var line = new VirtualLine(Line with { PartCount = 20 });
        var truth = line.Truth(TimeSpan.FromMinutes(1));
        for (var index = 0; index < 20; index++)
        {
            // 290 mm after its leading edge was in the beam at -260 mm that edge is 30 mm past the picture's centre.
            var leading = line.TravelAt(line.FrameTime(index)) - truth[index].Offset + (truth[index].Length / 2);
            Assert.Equal(30, leading, 0.5);
        }

        Assert.Equal(BeltMotion.Never, line.FrameTime(20));
    }

    [Fact]
    public void ATriggeredCameraOwesNothingUntilSomethingPassesTheEye()
    {
        var clock = new LineClock();
        var alive = new Liveness();
        using var slot = new FrameSlot(3);
        using var loop = Loop(new CameraOptions { Trigger = new TriggerOptions() }, clock, slot, alive);
        loop.Open();
        clock.Now += TimeSpan.FromHours(1);
        Assert.Equal((Instant.Never, "connected"), (alive.SilentSince, loop.State));

        var exposure = clock.GetInstant() + TimeSpan.FromMilliseconds(350);
        loop.Expect(exposure);
        loop.Expect(exposure + TimeSpan.FromSeconds(1)); // What was owed before stays owed.
        clock.Now += TimeSpan.FromSeconds(10);
        Assert.Equal(exposure, alive.SilentSince);
        Assert.StartsWith("no picture for", loop.State, StringComparison.Ordinal);
    }

    [Fact]
    public void AFreeRunningCameraThatFallsSilentIsNoticed()
    {
        var clock = new LineClock();
        using var slot = new FrameSlot();
        using var loop = Loop(new CameraOptions(), clock, slot, new Liveness());
        loop.Open();
        clock.Now += TimeSpan.FromSeconds(10);
        Assert.StartsWith("no picture for", loop.State, StringComparison.Ordinal);
    }

    private static readonly VirtualLineOptions Line = new() { Seed = 5, TriggerDistance = 290, BeltSpeed = 0.8, PartsPerSecond = 8, TouchingShare = 0 };

    private static CaptureLoop Loop(CameraOptions options, LineClock clock, FrameSlot slot, Liveness alive) =>
        new("test", options, () => new SilentCamera(), slot, clock, NullLogger.Instance, alive);

    /// <summary>A live camera that brings nothing.</summary>
    private sealed class SilentCamera : ICamera
    {
        public string Name => "camera";

        public int Width => Pictures.Width;

        public int Height => Pictures.Height;

        public bool IsLive => true;

        public string? Fault => null;

        public ReadOutcome Read(Mat destination, out Instant capturedAt)
        {
            capturedAt = Instant.Never;
            return ReadOutcome.TimedOut;
        }

        public void Dispose() { }
    }
}
