using System.Globalization;
using EdgeInspector.Simulation;
using OpenCvSharp;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class VirtualLinePictureTests(ITestOutputHelper output)
{
    private static readonly VirtualLineOptions Busy = new()
    {
        Seed = 7,
        DefectRate = 0.5,
        TouchingShare = 0.3,
    };

    [Fact]
    public void TheSameSeedGivesTheSamePicturesBitForBit()
    {
        using var first = new VirtualLine(Busy);
        using var second = new VirtualLine(Busy);
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(Picture(first, first.FrameTime(i * 7)), Picture(second, second.FrameTime(i * 7)));
        }
    }

    [Fact]
    public void AnotherSeedGivesAnotherPicture()
    {
        using var first = new VirtualLine(Busy);
        using var second = new VirtualLine(Busy with { Seed = 8 });
        Assert.NotEqual(Picture(first, first.FrameTime(60)), Picture(second, second.FrameTime(60)));
    }

    [Fact]
    public void APictureDoesNotDependOnThoseTakenBefore()
    {
        using var forwards = new VirtualLine(Busy);
        using var astray = new VirtualLine(Busy);
        foreach (var i in new[] { 500, 90, 91, 4000, 140, 60, 61 })
        {
            _ = Picture(astray, astray.FrameTime(i));
        }

        var expected = new Dictionary<int, byte[]>();
        for (var i = 0; i <= 140; i++)
        {
            expected[i] = Picture(forwards, forwards.FrameTime(i));
        }

        foreach (var i in new[] { 140, 100, 62, 30, 139 })
        {
            Assert.Equal(expected[i], Picture(astray, astray.FrameTime(i)));
        }
    }

    [Fact]
    public void PartsMoveBySubPixelsWithTheBelt()
    {
        // 0.8 m/s is 26.67 pixels a frame: the box must follow to a fraction of a pixel.
        using var line = new VirtualLine(new VirtualLineOptions { Seed = 3 });
        var before = line.PartsInView(line.FrameTime(60));
        var after = line.PartsInView(line.FrameTime(61)).ToDictionary(p => p.Index);
        var whole = before.First(p => p.Visible > 0.999 && after.TryGetValue(p.Index, out var q) && q.Visible > 0.999);
        Assert.Equal(800.0 / 60 / 0.5, after[whole.Index].Left - whole.Left, 3);
    }

    [Fact]
    public void BoxesAreTightAroundWhatTheBeltDoesNotShow()
    {
        var options = new VirtualLineOptions
        {
            Seed = 5,
            DefectRate = 0,
            TouchingShare = 0,
            LampDrift = 0,
        };
        using var line = new VirtualLine(options);

        // The same belt, lamp and noise with the first part many metres away.
        using var empty = new VirtualLine(options with { PartsPerSecond = 0.01 });
        using var seen = new Mat();
        using var belt = new Mat();
        var compared = 0;
        for (var i = 50; i < 110; i += 6)
        {
            var t = line.FrameTime(i);
            Assert.Empty(empty.PartsInView(t));
            line.Render(t, seen);
            empty.Render(t, belt);
            using var more = new Mat();
            Cv2.Subtract(seen, belt, more);
            using var red = more.ExtractChannel(2);
            using var mask = red.Threshold(18, 255, ThresholdTypes.Binary);
            foreach (var part in line.PartsInView(t).Where(p => p.Visible > 0.999))
            {
                // Neighbours are at least 4 mm away, so 3 pixels around the box belong to this part alone.
                var around = new Rect(
                    (int)part.Left - 3,
                    (int)part.Top - 3,
                    (int)(part.Right - part.Left) + 7,
                    (int)(part.Bottom - part.Top) + 7
                );
                around &= new Rect(0, 0, mask.Width, mask.Height);
                using var piece = new Mat(mask, around);
                using var points = new Mat();
                Cv2.FindNonZero(piece, points);
                var box = Cv2.BoundingRect(points);
                Assert.InRange(around.Left + box.Left - part.Left, -1.5, 1.5);
                Assert.InRange(around.Top + box.Top - part.Top, -1.5, 1.5);
                Assert.InRange(around.Left + box.Right - part.Right, -1.5, 1.5);
                Assert.InRange(around.Top + box.Bottom - part.Bottom, -1.5, 1.5);
                compared++;
            }
        }

        Assert.True(compared > 10, $"only {compared} boxes were compared");
    }

    [Fact]
    public void CutPartsReportTheirVisibleShare()
    {
        using var line = new VirtualLine(
            new VirtualLineOptions
            {
                Seed = 2,
                DefectRate = 0,
                TouchingShare = 0,
            }
        );
        var truth = line.Truth(TimeSpan.FromSeconds(2))[3];

        // Half of a round biscuit is in view when its centre is on the picture's edge.
        var t = line.Motion.TimeAt(truth.Offset - 160);
        var part = Assert.Single(line.PartsInView(t), p => p.Index == truth.Index);
        Assert.InRange(part.Visible, 0.47, 0.53);
        Assert.Equal(0, part.Left);
        Assert.InRange(part.Right, 27 / 0.5, 33 / 0.5);
    }

    [Fact]
    public void AFrameIsRenderedWellWithinItsTime()
    {
        using var line = new VirtualLine(Busy with { Lanes = 3, PartsPerSecond = 30, SidewaysJitter = 5 });
        using var frame = new Mat();
        var times = new List<double>();
        for (var i = 0; i < 900; i++)
        {
            var start = ProcessorTime.OfThisThread();
            line.Render(line.FrameTime(i), frame);
            times.Add((ProcessorTime.OfThisThread() - start).TotalMilliseconds);
        }

        times.RemoveRange(0, 100);
        times.Sort();
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"640 x 480 at 30 parts/s: median {times[400]:F2} ms, p99 {times[792]:F2} ms, max {times[^1]:F2} ms"
            )
        );

        // The target is 2 ms of processor time; a busy build machine, whose caches are not its own, gets five times that.
        Assert.True(times[400] < 10, $"median {times[400]:F2} ms");
    }

    [Fact]
    public void RenderingAllocatesNothingForTheFrameItself()
    {
        // No parts: what a part costs is paid once when it comes, not per frame.
        using var line = new VirtualLine(new VirtualLineOptions { PartsPerSecond = 0.01 });
        using var frame = new Mat();
        for (var i = 0; i < 120; i++)
        {
            line.Render(line.FrameTime(i), frame);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 120; i < 360; i++)
        {
            line.Render(line.FrameTime(i), frame);
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 240, 0, 16);
    }

    private static byte[] Picture(VirtualLine line, TimeSpan t)
    {
        using var frame = new Mat();
        line.Render(t, frame);
        Assert.Equal(MatType.CV_8UC3, frame.Type());
        return frame.AsSpan<byte>().ToArray();
    }
}
