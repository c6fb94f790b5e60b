using EdgeInspector.Capture;
using EdgeInspector.Configuration;
using EdgeInspector.Hosting;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Simulation;
using EdgeInspector.Telemetry;
using EdgeInspector.Vision;
using Microsoft.Extensions.Logging.Abstractions;
using OpenCvSharp;

namespace EdgeInspector.Lab.Faults;

/// <summary>
/// A station at work in this process and in real time, with the factory's networks: its camera and its detector can be made
/// to hang. Everything else is as it is in a factory.
/// </summary>
internal sealed class LiveStation : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<PartRecord> _records = [];
    private readonly List<AlarmRecord> _alarms = [];
    private readonly ModelPackage _package;
    private readonly VirtualLine _line;
    private readonly StationHardware _hardware;
    private readonly InspectionStation _station;
    private readonly StationOptions _options;

    /// <summary>Builds it; nothing turns before <see cref="StartAsync"/>.</summary>
    public LiveStation(FaultStation files)
    {
        _options = files.Options().Stations[0];
        _package = ModelPackage.Load(_options.Model.Package, new InferenceOptions());
        var time = TimeProvider.System;
        Start = time.GetInstant() + TimeSpan.FromMilliseconds(500);
        _line = new VirtualLine(InspectionHost.VirtualLineOf(_options));
        Camera = new HangingCamera(new VirtualCamera(_line, Start, time));
        var model = StationModel.Of(_package);
        Detector = new HangingDetector(model.Detector);
        _hardware = StationHardware.Virtual(_options, _line, Start, time, camera: () => Camera);
        Pins = new PinWatch(_options.Virtual.PinFile!, FaultStation.Pins);
        _station = new InspectionStation(
            _options,
            new RunFacts(_options.Name, "lab", _options.Recipe.Name, _package.Name, model.Labels, IsSimulated: true),
            model with { Detector = Detector, Detectors = [Detector] },
            _hardware,
            Start,
            new StationBooks { Ended = Keep, AlarmChanged = Keep },
            time,
            NullLogger.Instance
        );
    }

    /// <summary>When the line's time was zero.</summary>
    public Instant Start { get; }

    /// <summary>The camera.</summary>
    public HangingCamera Camera { get; }

    /// <summary>The detector.</summary>
    public HangingDetector Detector { get; }

    /// <summary>The pins, seen from outside.</summary>
    public PinWatch Pins { get; }

    /// <summary>What the station is set to.</summary>
    public StationOptions Options => _options;

    /// <summary>Starts it and waits until it is healthy and has judged parts.</summary>
    public void Run()
    {
        _station.Start();
        Until.True(() => Pins.IsHigh(FaultStation.Healthy) && _station.Snapshot("", "", 0, 0).Counts.Parts > 5, "the station did not begin to inspect");
    }

    /// <summary>An alarm's records, in the order of their changes.</summary>
    public AlarmRecord[] Alarms(AlarmCode code)
    {
        lock (_gate)
        {
            return [.. _alarms.Where(alarm => alarm.Code == code)];
        }
    }

    /// <summary>Stops it as a service would, and says what has become of every part.</summary>
    public async Task<(IReadOnlyList<PartTruth> Truth, IReadOnlyList<PartRecord> Records, PartCounts Counts)> StopAsync()
    {
        await _station.DisposeAsync();
        lock (_gate)
        {
            return (_line.Truth(TimeProvider.System.GetInstant() - Start), [.. _records], _station.Snapshot("", "", 0, 0).Counts);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Camera.Release();
        Detector.Release();
        await _station.DisposeAsync();
        Pins.Dispose();
        _hardware.Dispose();
        _line.Dispose();
        _package.Dispose();
    }

    private void Keep(PartRecord record)
    {
        lock (_gate)
        {
            _records.Add(record);
        }
    }

    private void Keep(AlarmRecord alarm)
    {
        lock (_gate)
        {
            _alarms.Add(alarm);
        }
    }

    /// <summary>A camera whose next read blocks until it is released.</summary>
    internal sealed class HangingCamera(ICamera camera) : ICamera
    {
        private readonly ManualResetEventSlim _runs = new(initialState: true);
        private long _lastFrame;

        /// <summary>When it last gave a frame.</summary>
        public Instant LastFrame => new(Volatile.Read(ref _lastFrame));

        /// <inheritdoc/>
        public string Name => camera.Name;

        /// <inheritdoc/>
        public int Width => camera.Width;

        /// <inheritdoc/>
        public int Height => camera.Height;

        /// <inheritdoc/>
        public bool IsLive => camera.IsLive;

        /// <inheritdoc/>
        public string? Fault => camera.Fault;

        /// <summary>Lets no further read return.</summary>
        public void Hang() => _runs.Reset();

        /// <summary>Lets it go on.</summary>
        public void Release() => _runs.Set();

        /// <inheritdoc/>
        public ReadOutcome Read(Mat destination, out Instant capturedAt)
        {
            _runs.Wait();
            var outcome = camera.Read(destination, out capturedAt);
            _runs.Wait();
            Volatile.Write(ref _lastFrame, TimeProvider.System.GetInstant().Nanoseconds);
            return outcome;
        }

        /// <inheritdoc/>
        public void Dispose() => camera.Dispose();
    }

    /// <summary>A detector whose next call blocks until it is released.</summary>
    internal sealed class HangingDetector(IDetector detector) : IDetector
    {
        private readonly ManualResetEventSlim _runs = new(initialState: true);
        private long _calledAt;

        /// <summary>When it was last called.</summary>
        public Instant CalledAt => new(Volatile.Read(ref _calledAt));

        /// <inheritdoc/>
        public IReadOnlyList<string> Labels => detector.Labels;

        /// <inheritdoc/>
        public string Provider => detector.Provider;

        /// <summary>Lets no further call return.</summary>
        public void Hang() => _runs.Reset();

        /// <summary>Lets it go on.</summary>
        public void Release() => _runs.Set();

        /// <inheritdoc/>
        public int Detect(Mat picture, Span<Detection> detections)
        {
            Volatile.Write(ref _calledAt, TimeProvider.System.GetInstant().Nanoseconds);
            var found = detector.Detect(picture, detections);
            _runs.Wait();
            return found;
        }

        /// <summary>The package's own is the package's.</summary>
        public void Dispose() { }
    }
}
