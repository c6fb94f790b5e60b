using System.Device.Gpio;
using System.Device.Gpio.Drivers;
using EdgeInspector.Capture;
using EdgeInspector.Configuration;
using EdgeInspector.Line;
using EdgeInspector.Reject;
using EdgeInspector.Simulation;
using EdgeInspector.Station;

namespace EdgeInspector.Hosting;

/// <summary>
/// What a station is made of besides software: a camera, pins and sensors. Real or virtual, behind the same seams; the
/// station cannot tell.
/// </summary>
internal sealed class StationHardware : IDisposable
{
    private readonly GpioDriver _driver;
    private readonly bool _hasSensors;
    private readonly Func<ISensorReader> _openSensors;
    private GpioController? _controller;

    private StationHardware(
        Func<ICamera> openCamera,
        GpioDriver driver,
        bool hasSensors,
        Func<ISensorReader> openSensors
    )
    {
        OpenCamera = openCamera;
        _driver = driver;
        _hasSensors = hasSensors;
        _openSensors = openSensors;
    }

    /// <summary>Opens the camera; called by the capture thread, again after each loss.</summary>
    public Func<ICamera> OpenCamera { get; }

    /// <summary>The pins. Owned here.</summary>
    public GpioController Controller => _controller ??= new GpioController(_driver);

    /// <summary>The pins of a virtual line; null where they are real.</summary>
    public VirtualLineGpioDriver? VirtualBoard => _driver as VirtualLineGpioDriver;

    /// <summary>True where nothing physical moves.</summary>
    public bool IsSimulated { get; private init; }

    /// <summary>Opens the sensors, or null when none is fitted.</summary>
    /// <exception cref="SettingException">A chip or line is not there, not permitted, or in use.</exception>
    public ISensorReader? OpenSensors() => _hasSensors ? _openSensors() : null;

    /// <summary>The device's own camera, pins and sensors.</summary>
    /// <exception cref="SettingException">The GPIO chip cannot be opened.</exception>
    public static StationHardware Real(StationOptions options, TimeProvider time)
    {
        var sensors = options.Sensors;
        var encoder = options.Belt.Encoder;
        return new StationHardware(
            () => Cameras.Open(options.Camera, time),
            options.Reject.Driver == PinDriver.Unwired ? new UnwiredGpioDriver() : OpenChip(options.Reject.Chip),
            // A trial on a recording has no pins that could tell anything.
            options.Reject.Driver != PinDriver.Unwired && (!sensors.IsEmpty || encoder is not null),
            () => GpioSensorReader.Open(sensors, encoder, options.Reject.Chip, time)
        )
        {
            IsSimulated = options.Reject.Driver == PinDriver.Unwired,
        };
    }

    /// <summary>The virtual line's. The line stays the caller's.</summary>
    /// <param name="options">Says which pins are which.</param>
    /// <param name="line">The line.</param>
    /// <param name="start">When the line's time is zero.</param>
    /// <param name="time">The station's clock.</param>
    /// <param name="through">Stands between the sensors and the station; null: nothing does.</param>
    /// <param name="camera">In place of the line's own.</param>
    /// <exception cref="SettingException">The file of pins cannot be made.</exception>
    public static StationHardware Virtual(
        StationOptions options,
        VirtualLine line,
        Instant start,
        TimeProvider time,
        Func<ISensorReader, ISensorReader>? through = null,
        Func<ICamera>? camera = null
    ) =>
        new(
            camera ?? (() => new VirtualCamera(line, start, time)),
            BoardOf(options, line, () => time.GetInstant() - start),
            hasSensors: true,
            () => (through ?? (reader => reader))(new VirtualSensorReader(line, start, options.Belt.Encoder is not null, time))
        )
        {
            IsSimulated = true,
        };

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_controller is not null)
        {
            _controller.Dispose();
        }
        else
        {
            _driver.Dispose();
        }
    }

    private static VirtualLineGpioDriver BoardOf(StationOptions options, VirtualLine line, Func<TimeSpan> now)
    {
        var pins = new VirtualLinePins
        {
            Ejectors = [.. options.Reject.Ejectors.Select(ejector => ejector.Pin)],
            EjectorActiveLow = !options.Reject.Ejectors[0].ActiveHigh,
            PinFile = options.Virtual.PinFile,
        };
        try
        {
            return new VirtualLineGpioDriver(line, pins, now);
        }
        catch (IOException fault)
        {
            throw new SettingException($"Virtual:PinFile: {fault.Message}.");
        }
    }

    private static LibGpiodDriver OpenChip(int chip)
    {
        try
        {
            return new LibGpiodDriver(chip);
        }
        catch (Exception fault) when (fault is PlatformNotSupportedException or IOException or UnauthorizedAccessException or DllNotFoundException)
        {
            throw new SettingException(
                $"Reject:Chip: /dev/gpiochip{chip} cannot be opened ({fault.Message.ReplaceLineEndings(" ")}); "
                    + "check `gpiodetect`, membership of group gpio and libgpiod2, or set Reject:Driver to Unwired for a trial."
            );
        }
    }
}
