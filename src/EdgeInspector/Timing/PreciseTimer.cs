using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EdgeInspector.Line;

namespace EdgeInspector.Timing;

/// <summary>
/// Waits for an instant of the monotonic clock, or for <see cref="Wake"/>, then spins a little. One thread waits, any
/// thread wakes. Allocates nothing.
/// <para>
/// It is a futex with an absolute time: one system call a wait, no time lost between reading the clock and going to sleep,
/// and none for a thread that was preempted in between. <c>ppoll</c> takes a relative time only, and a timer's descriptor
/// costs three calls.
/// </para>
/// </summary>
internal sealed unsafe partial class PreciseTimer
{
    // linux/futex.h: FUTEX_WAIT_BITSET and FUTEX_WAKE, both FUTEX_PRIVATE_FLAG; the former takes an absolute time of
    // CLOCK_MONOTONIC.
    private const int WaitAbsolute = 9 | 128;
    private const int WakeOne = 1 | 128;
    private const uint AnyBit = uint.MaxValue;

    // SYS_futex: glibc has no function of its own for it.
    private static readonly nint FutexCall =
        RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 202
        : RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64 ? 98
        : throw new PlatformNotSupportedException($"no futex is known for {RuntimeInformation.ProcessArchitecture}");

    private readonly long _spin;

    // Pinned for good, since the kernel looks at it while the collector may run; a cache line of its own.
    private readonly int[] _word = GC.AllocateArray<int>(16, pinned: true);
    private readonly int* _woken;

    /// <param name="spin">How much of the end of a wait is spun.</param>
    public PreciseTimer(TimeSpan spin)
    {
        _spin = spin.Ticks * TimeSpan.NanosecondsPerTick;
        _woken = (int*)Unsafe.AsPointer(ref _word[0]);
    }

    /// <summary>Waits until <paramref name="due"/> or a wake-up, whichever comes first. A time long past is no wait.</summary>
    /// <param name="due">On the clock of <see cref="Stopwatch.GetTimestamp"/>.</param>
    /// <param name="spin">False where being some microseconds late does not matter.</param>
    public void WaitUntil(Instant due, bool spin)
    {
        var sleepUntil = due.Nanoseconds - (spin ? _spin : 0);
        var until = new TimeSpec { Seconds = sleepUntil / 1_000_000_000, Nanoseconds = sleepUntil % 1_000_000_000 };
        while (Stopwatch.GetTimestamp() < sleepUntil)
        {
            if (Interlocked.Exchange(ref *_woken, 0) != 0)
            {
                return;
            }

            // Returns at once when it was woken meanwhile, and now and then for no reason.
            Futex(FutexCall, _woken, WaitAbsolute, 0, &until, null, AnyBit);
        }

        if (spin)
        {
            SpinUntil(due);
        }
    }

    /// <summary>Keeps the processor until an instant that is near.</summary>
    public static void SpinUntil(Instant due)
    {
        while (Stopwatch.GetTimestamp() < due.Nanoseconds)
        {
            Thread.SpinWait(1);
        }
    }

    /// <summary>Ends a wait, or the next one if none is under way; the last spin it lets run out.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref *_woken, 1) == 0)
        {
            Futex(FutexCall, _woken, WakeOne, 1, null, null, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Futex(nint call, int* word, nint operation, nint value, TimeSpec* until, void* other, nuint bits);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
