using EdgeInspector.Capture;
using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Capture;

public sealed class RecordingTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Mat _picture = new();

    public void Dispose()
    {
        _picture.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void AVideoIsReadToItsLastPictureInItsOwnTime()
    {
        var path = Pictures.WriteVideo(_folder["belt.avi"], frames: 50, rate: 25);
        using var camera = Open(path);
        var start = _time.GetInstant();

        Assert.False(camera.IsLive);
        Assert.Equal((Pictures.Width, Pictures.Height), (camera.Width, camera.Height));
        for (var i = 0; i < 50; i++)
        {
            // However slowly it is read.
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(ReadOutcome.Frame, camera.Read(_picture, out var at));
            Assert.Equal(40.0 * i, at.MillisecondsSince(start), 0.01);
            Assert.InRange(_picture.At<Vec3b>(24, 32).Item0, (i * 4 % 256) - 4, (i * 4 % 256) + 4);
        }

        Assert.Equal(ReadOutcome.Ended, camera.Read(_picture, out _));
        Assert.Equal(ReadOutcome.Ended, camera.Read(_picture, out _));
        Assert.Null(camera.Fault);
    }

    [Fact]
    public void ALoopedVideoGoesOnInTime()
    {
        var path = Pictures.WriteVideo(_folder["belt.avi"], frames: 10, rate: 10);
        using var camera = Open(path, loop: true);
        var start = _time.GetInstant();

        for (var i = 0; i < 25; i++)
        {
            Assert.Equal(ReadOutcome.Frame, camera.Read(_picture, out var at));
            Assert.Equal(100.0 * i, at.MillisecondsSince(start), 0.01);
        }
    }

    [Fact]
    public void ARealRecordingIsWhole()
    {
        using var camera = Open(TestData.Get("video/checkweigher_pouches.mp4"));
        var frames = 0;
        var last = default(Instant);
        while (camera.Read(_picture, out var at) is ReadOutcome.Frame)
        {
            Assert.True(at > last);
            last = at;
            frames++;
        }

        Assert.Equal(372, frames);
        Assert.Null(camera.Fault);
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.5)]
    [InlineData(0.9995)]
    public void ATruncatedMp4IsRefused(double share) =>
        RefusesCutOff(TestData.Get("video/checkweigher_pouches.mp4"), share, "copy or record it again");

    [Theory]
    [InlineData(0.0005)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public void ATruncatedAviIsRefused(double share) =>
        RefusesCutOff(Pictures.WriteVideo(_folder["whole.avi"], 50, 25), share, "copy or record it again");

    [Fact]
    public void AVideoThatEndsBeforeItsContainerSaysIsReported()
    {
        // An index that promises 50 pictures over data for 25: the container's own size is made to fit the cut.
        var path = Pictures.WriteVideo(_folder["belt.avi"], 50, 25);
        var bytes = File.ReadAllBytes(path);
        var cut = bytes[..(bytes.Length / 2)];
        BitConverter.TryWriteBytes(cut.AsSpan(4), cut.Length - 8);
        File.WriteAllBytes(path, cut);
        using var camera = Open(path);
        var frames = 0;
        ReadOutcome outcome;
        while ((outcome = camera.Read(_picture, out _)) is ReadOutcome.Frame)
        {
            frames++;
        }

        Assert.Equal(ReadOutcome.Failed, outcome);
        Assert.InRange(frames, 10, 40);
        Assert.Equal($"{path}: ends after {frames} of 50 pictures; copy or record it again.", camera.Fault);
        Assert.Equal(ReadOutcome.Ended, camera.Read(_picture, out _));
    }

    [Theory]
    [InlineData("", "is empty (0 bytes); copy or record it again.")]
    [InlineData("no video at all, but some text", "is no video that can be read; use MP4, MKV or AVI, or record it again.")]
    public void WhatIsNoVideoIsRefused(string text, string what)
    {
        var path = _folder.Write("belt.mp4", text);

        Assert.Equal($"{path}: {what}", Assert.Throws<CameraException>(() => Open(path)).Message);
    }

    [Theory]
    [InlineData("/nowhere/belt.mp4", "/nowhere/belt.mp4: there is no such file or folder; check the path.")]
    [InlineData("v4l2:/dev/video97", "/dev/video97: there is no such device; ")]
    [InlineData("/dev/video97", "/dev/video97: there is no such device; ")]
    [InlineData("rtsp://127.0.0.1:9/x", "rtsp://127.0.0.1:9/x: ")]
    [InlineData("http://127.0.0.1:9/x", "http://127.0.0.1:9/x: does not answer (Connection refused")]
    public void ASourceThatIsNotThereIsSaidInOneLine(string source, string what)
    {
        var refused = Assert.Throws<CameraException>(() => Open(source)).Message;

        Assert.StartsWith(what, refused, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused);
    }

    [Fact]
    public void APipelineWithoutGStreamerSaysSo()
    {
        Assert.SkipWhen(NativeVideo.HasGStreamer, "this OpenCV build has GStreamer");

        Assert.StartsWith(
            "gstreamer:videotestsrc ! appsink: this OpenCV build has no GStreamer; ",
            Assert.Throws<CameraException>(() => Open("gstreamer:videotestsrc ! appsink")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AVideoOfAnotherSizeIsRefused()
    {
        var path = Pictures.WriteVideo(_folder["belt.avi"], 3, 25);
        var options = new CameraOptions { Source = path, Width = 640, Height = 480 };

        Assert.StartsWith(
            $"{path}: its pictures are 64 x 48, not 640 x 480; ",
            Assert.Throws<CameraException>(() => Cameras.Open(options, _time)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderIsReadInTheOrderOfItsNamesAtItsRate()
    {
        foreach (var number in (int[])[10, 9, 1])
        {
            Pictures.Write(_folder[$"{number}.png"], number);
        }

        _folder.Write("notes.txt", "not a picture");
        using var camera = Open(_folder.Path, rate: 20);
        var start = _time.GetInstant();
        foreach (var (index, number) in ((int[])[1, 9, 10]).Index())
        {
            Assert.Equal(ReadOutcome.Frame, camera.Read(_picture, out var at));
            Assert.Equal(50.0 * index, at.MillisecondsSince(start), 0.01);
            Assert.Equal(number * 4, _picture.At<Vec3b>(24, 32).Item0);
        }

        Assert.Equal(ReadOutcome.Ended, camera.Read(_picture, out _));
    }

    [Fact]
    public void AnUnreadablePictureIsNamedAndSteppedOver()
    {
        Pictures.Write(_folder["1.png"], 1);
        var empty = _folder.Write("2.png", "");
        var text = _folder.Write("3.jpg", "text");
        var cut = _folder["4.jpg"];
        File.WriteAllBytes(cut, Pictures.Jpeg(4)[..^20]);
        var cutPng = _folder["5.png"];
        File.WriteAllBytes(cutPng, File.ReadAllBytes(_folder["1.png"])[..^6]);
        Pictures.Write(_folder["6.jpg"], 6);
        using var camera = Open(_folder.Path);

        Assert.Equal(ReadOutcome.Frame, camera.Read(_picture, out _));
        AssertFails($"{empty}: is empty (0 bytes); replace or remove it.");
        AssertFails($"{text}: is no picture that can be read; replace or remove it.");
        AssertFails($"{cut}: is cut off after {new FileInfo(cut).Length} bytes; replace or remove it.");
        AssertFails($"{cutPng}: is cut off after {new FileInfo(cutPng).Length} bytes; replace or remove it.");
        Assert.Equal(ReadOutcome.Frame, camera.Read(_picture, out _));
        Assert.Equal(ReadOutcome.Ended, camera.Read(_picture, out _));

        void AssertFails(string fault)
        {
            Assert.Equal(ReadOutcome.Failed, camera.Read(_picture, out _));
            Assert.Equal(fault, camera.Fault);
        }
    }

    [Fact]
    public void AFolderWithoutPicturesIsRefused() =>
        Assert.Equal(
            $"{_folder.Path}: holds no pictures; put JPEG or PNG files in it.",
            Assert.Throws<CameraException>(() => Open(_folder.Path)).Message);

    [Fact]
    public void RealPhotographsAreWhole()
    {
        foreach (var path in PictureFile.In(TestData.Get("casting/test/ok")).Append(TestData.Get("models/bus.jpg")))
        {
            Assert.True(PictureFile.TryRead(path, _picture, out var fault), fault);
        }
    }

    private ICamera Open(string source, bool loop = false, double? rate = null) => Cameras.Open(
        new CameraOptions
        {
            Source = source,
            Loop = loop,
            FramesPerSecond = rate,
            ReadTimeout = TimeSpan.FromMilliseconds(500),
        },
        _time);

    private void RefusesCutOff(string whole, double share, string remedy)
    {
        var bytes = File.ReadAllBytes(whole);
        var path = _folder["cut" + Path.GetExtension(whole)];
        File.WriteAllBytes(path, bytes[..(int)(bytes.Length * share)]);

        var refused = Assert.Throws<CameraException>(() => Open(path)).Message;

        Assert.StartsWith($"{path}: ", refused, StringComparison.Ordinal);
        Assert.EndsWith($"; {remedy}.", refused, StringComparison.Ordinal);
    }
}
