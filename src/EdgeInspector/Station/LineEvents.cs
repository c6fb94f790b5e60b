using System.Runtime.InteropServices;
using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>
/// The stream of edges that the kernel writes: waits for it, reads it in batches. Owns the descriptor. One thread reads, any
/// thread wakes. Allocates nothing.
/// </summary>
internal sealed partial class LineEvents : IDisposable
{
    private const short PollIn = 1;
    private const int Interrupted = 4; // EINTR
    private const int TryAgain = 11; // EAGAIN
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private readonly int _fd;
    private readonly int _wakeFd;
    private bool _disposed;

    /// <param name="fd">Gives <see cref="GpioUapi.LineEvent"/>s, whole ones only.</param>
    /// <exception cref="IOException">The kernel gave no eventfd.</exception>
    public LineEvents(int fd)
    {
        _fd = fd;
        _wakeFd = EventFd(0, NonBlocking | CloseOnExec);
        if (_wakeFd < 0)
        {
            throw new IOException($"eventfd failed: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>The descriptor, for asking the lines' values.</summary>
    public int Fd => _fd;

    /// <summary>Waits until there are events, the time is up or <see cref="Wake"/> was called; true when there are events.</summary>
    public bool Wait(TimeSpan timeout) => Poll(timeout, events: true);

    /// <summary>Waits until the time is up or <see cref="Wake"/> was called, and lets events gather meanwhile.</summary>
    public void Rest(TimeSpan time) => Poll(time, events: false);

    /// <summary>Takes the events that are there; call it after <see cref="Wait"/>, or it may wait itself. 0 when there are none.</summary>
    /// <exception cref="IOException">The chip is gone, or what came was not whole events.</exception>
    public unsafe int Read(Span<GpioUapi.LineEvent> events)
    {
        fixed (GpioUapi.LineEvent* to = events)
        {
            var bytes = Read(_fd, to, (nuint)(events.Length * sizeof(GpioUapi.LineEvent)));
            if (bytes < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                return error is Interrupted or TryAgain
                    ? 0
                    : throw new IOException($"reading GPIO edges failed: {Marshal.GetPInvokeErrorMessage(error)}");
            }

            var (whole, rest) = Math.DivRem((int)bytes, sizeof(GpioUapi.LineEvent));
            return whole > 0 && rest == 0
                ? whole
                : throw new IOException(
                    bytes == 0
                        ? "the GPIO chip is gone: its stream of edges has ended"
                        : $"reading GPIO edges gave {bytes} bytes, which are not events of {sizeof(GpioUapi.LineEvent)}"
                );
        }
    }

    /// <summary>Ends a wait, or the next one if none is under way.</summary>
    public unsafe void Wake()
    {
        ulong one = 1;
        _ = Write(_wakeFd, &one, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _ = Close(_fd);
            _ = Close(_wakeFd);
        }
    }

    private unsafe bool Poll(TimeSpan timeout, bool events)
    {
        var nanoseconds = Math.Max(0, timeout.Ticks) * TimeSpan.NanosecondsPerTick;
        var polls = stackalloc PollFd[2];
        polls[0] = new PollFd { Fd = _wakeFd, Events = PollIn };
        polls[1] = new PollFd { Fd = _fd, Events = PollIn };
        var limit = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        if (PPoll(polls, events ? 2u : 1u, &limit, null) <= 0)
        {
            return false; // Time is up, or a signal came, and the caller looks at the clock anyway.
        }

        if (polls[0].Returned != 0)
        {
            ulong count;
            _ = Read(_wakeFd, &count, sizeof(ulong));
        }

        // An error or hang-up is for Read to name.
        return events && polls[1].Returned != 0;
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static unsafe partial int PPoll(PollFd* fds, nuint count, TimeSpec* timeout, void* signalMask);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(int fd, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write")]
    private static unsafe partial nint Write(int fd, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
