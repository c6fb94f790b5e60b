using EdgeInspector.Line;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>What came of asking a camera for a picture.</summary>
internal enum ReadOutcome
{
    /// <summary>A picture was written.</summary>
    Frame,

    /// <summary>None came within the read timeout; the next read may succeed.</summary>
    TimedOut,

    /// <summary>A recording is over.</summary>
    Ended,

    /// <summary>
    /// See <see cref="ICamera.Fault"/>. A live camera must be opened again; a recording goes on with its next picture.
    /// </summary>
    Failed,
}

/// <summary>
/// A source of pictures. Opened by <see cref="Cameras"/>, read and disposed by one thread at a time.
/// </summary>
internal interface ICamera : IDisposable
{
    /// <summary>The source as configured, without credentials: for messages.</summary>
    string Name { get; }

    /// <summary>Pixels.</summary>
    int Width { get; }

    /// <summary>Pixels.</summary>
    int Height { get; }

    /// <summary>
    /// Live: the newest picture wins and the rest are dropped. Otherwise a recording: every picture is inspected, and
    /// reading waits for it.
    /// </summary>
    bool IsLive { get; }

    /// <summary>
    /// What the last <see cref="ReadOutcome.Failed"/> was about, in one line; null when nothing has failed.
    /// </summary>
    string? Fault { get; }

    /// <summary>
    /// Writes the next picture (8-bit BGR) into <paramref name="destination"/> and says when it was taken: a live
    /// camera's on the monotonic clock, a recording's at its media time after the opening. Returns within about the
    /// read timeout. A picture of another size replaces the destination's memory.
    /// </summary>
    ReadOutcome Read(Mat destination, out Instant capturedAt);
}
