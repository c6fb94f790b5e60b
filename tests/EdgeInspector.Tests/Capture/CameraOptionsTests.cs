using EdgeInspector.Capture;
using EdgeInspector.Configuration;
using Xunit;

namespace EdgeInspector.Tests.Capture;

public sealed class CameraOptionsTests
{
    [Theory]
    [InlineData("virtual:", nameof(CameraKind.Virtual), "")]
    [InlineData("v4l2:/dev/video2", nameof(CameraKind.Device), "/dev/video2")]
    [InlineData("/dev/video0", nameof(CameraKind.Device), "/dev/video0")]
    [InlineData("rtsp://camera/stream", nameof(CameraKind.Stream), "rtsp://camera/stream")]
    [InlineData("HTTP://camera/mjpeg", nameof(CameraKind.Stream), "HTTP://camera/mjpeg")]
    [InlineData("gstreamer: videotestsrc ! appsink", nameof(CameraKind.Pipeline), "videotestsrc ! appsink")]
    [InlineData("belt.mp4", nameof(CameraKind.Recording), "belt.mp4")]
    public void ASourceNamesItsKind(string source, string kind, string address)
    {
        var parsed = CameraSource.Parse(source);

        Assert.Equal((kind, address), (parsed.Kind.ToString(), parsed.Address));
        Assert.Null(CameraSource.FaultIn(source));
    }

    [Theory]
    [InlineData("v4l2:")]
    [InlineData("gstreamer: ")]
    [InlineData("rtsp://")]
    [InlineData("ftp://camera/x")]
    public void ASourceThatNamesNothingIsRefused(string source) => Assert.NotNull(CameraSource.FaultIn(source));

    [Fact]
    public void MessagesDoNotCarryTheCamerasPassword() =>
        Assert.Equal("rtsp://camera:554/x", CameraSource.Parse("rtsp://user:secret@camera:554/x").Name);

    [Fact]
    public void TheDefaultsAreSound() => Assert.Empty(Faults());

    [Fact]
    public void RulesBetweenKeysAreNamed() =>
        Assert.Equal(
            [
                "--set Width: Height: goes with the other side; set both Width and Height or neither",
                "--set ReconnectDelay: MaximumReconnectDelay: is shorter than ReconnectDelay; make it at least as long",
            ],
            Faults("Width=640", "ReconnectDelay=20s")
                .Select(fault => fault.StartsWith("Height", StringComparison.Ordinal) ? "--set Width: " + fault
                    : "--set ReconnectDelay: " + fault));

    [Fact]
    public void APixelFormatHasFourLetters() =>
        Assert.Equal(
            ["--set PixelFormat: PixelFormat: 'mjpeg': must be four capital letters or digits such as MJPG"],
            Faults("PixelFormat=mjpeg"));

    private static IReadOnlyList<string> Faults(params string[] settings) => StrictConfiguration.Load<CameraOptions>(
        new ConfigurationInputs
        {
            ProgramFile = null,
            MachineFolder = null,
            Environment = new Dictionary<string, string>(),
            Settings = settings,
        }).Faults;
}
