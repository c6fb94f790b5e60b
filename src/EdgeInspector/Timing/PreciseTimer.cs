using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeInspector.Line;

namespace EdgeInspector.Timing;

/// <summary>
/// Waits for an instant of the monotonic clock, or for <see cref="Wake"/>: <c>ppoll</c> on an eventfd with a nanosecond
/// timeout, then a short spin. One thread waits, any thread wakes. Allocates nothing.
/// </summary>
internal sealed partial class PreciseTimer : IDisposable
{
    private const short PollIn = 1;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private readonly long _spin;
    private int _eventFd;

    /// <param name="spin">How much of the end of a wait is spun.</param>
    /// <exception cref="IOException">The kernel gave no eventfd.</exception>
    public PreciseTimer(TimeSpan spin)
    {
        _spin = spin.Ticks * 100;
        _eventFd = EventFd(0, NonBlocking | CloseOnExec);
        if (_eventFd < 0)
        {
            throw new IOException($"eventfd failed: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>Waits until <paramref name="due"/> or a wake-up, whichever comes first.</summary>
    /// <param name="due">On the clock of <see cref="Stopwatch.GetTimestamp"/>.</param>
    /// <param name="spin">False where being some microseconds late does not matter.</param>
    public unsafe void WaitUntil(Instant due, bool spin)
    {
        var sleep = due.Nanoseconds - Stopwatch.GetTimestamp() - (spin ? _spin : 0);
        if (sleep > 0)
        {
            var poll = new PollFd { Fd = _eventFd, Events = PollIn };
            var timeout = new TimeSpec { Seconds = sleep / 1_000_000_000, Nanoseconds = sleep % 1_000_000_000 };
            if (PPoll(&poll, 1, &timeout, null) > 0)
            {
                ulong count;
                _ = Read(_eventFd, &count, sizeof(ulong));
                return;
            }
        }

        while (spin && Stopwatch.GetTimestamp() < due.Nanoseconds)
        {
            Thread.SpinWait(8);
        }
    }

    /// <summary>Ends a wait, or the next one if none is under way.</summary>
    public unsafe void Wake()
    {
        ulong one = 1;
        _ = Write(_eventFd, &one, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var fd = Interlocked.Exchange(ref _eventFd, -1);
        if (fd >= 0)
        {
            _ = Close(fd);
        }
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static unsafe partial int PPoll(PollFd* fds, nuint count, TimeSpec* timeout, void* signalMask);

    [LibraryImport("libc", EntryPoint = "read")]
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
