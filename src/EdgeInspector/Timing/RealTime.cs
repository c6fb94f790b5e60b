using System.Runtime.InteropServices;

namespace EdgeInspector.Timing;

/// <summary>Asks the kernel for real-time priority, for the threads that cannot be late. <see cref="Thread.Priority"/> does nothing on Linux.</summary>
internal static partial class RealTime
{
    private const int SchedFifo = 1;
    private const int SchedIdle = 5;
    private const int SetTimerSlack = 29; // PR_SET_TIMERSLACK
    private const int LockPresent = 1; // MCL_CURRENT
    private const int LockFuture = 2; // MCL_FUTURE
    private const int LockOnFault = 4; // MCL_ONFAULT

    /// <summary>
    /// Above ordinary threads and below the kernel's own interrupt threads (50 on a PREEMPT_RT kernel), which the
    /// ejector's wake-up depends on.
    /// </summary>
    private const int Priority = 40;

    /// <summary>Puts the calling thread under SCHED_FIFO; false when the system does not permit it (no CAP_SYS_NICE, no LimitRTPRIO).</summary>
    public static unsafe bool TryMakeCurrentThread()
    {
        // Without real-time priority the kernel may round each wake-up up by 50 microseconds, to make several of one.
        _ = ProcessControl(SetTimerSlack, 1, 0, 0, 0);
        var priority = Priority;
        return SetScheduler(0, SchedFifo, &priority) == 0;
    }

    /// <summary>
    /// Puts the calling thread under SCHED_IDLE: it gets a processor only while no other thread wants one. For work beside
    /// the line. False when the system does not permit it.
    /// </summary>
    public static unsafe bool TryYieldToAll()
    {
        var priority = 0;
        return SetScheduler(0, SchedIdle, &priority) == 0;
    }

    /// <summary>
    /// Keeps the process's pages in memory once they have been touched, so that no thread waits for a disk to bring back
    /// code or data. Call it once, at the start. False when the system does not permit it (no CAP_IPC_LOCK, no
    /// LimitMEMLOCK).
    /// </summary>
    /// <remarks>
    /// On fault, not at once: the runtime reserves address space by the gigabyte, and every thread a stack of megabytes.
    /// Measured with .NET 10 on x64, 20 threads: resident 32 MB without, 32 MB locked on fault, 316 MB locked at once; 150 MB
    /// that were used and freed went back to the system either way. What resident memory no longer does is shrink under
    /// memory pressure. All that is reserved counts against LimitMEMLOCK, which therefore has to be infinity.
    /// </remarks>
    public static bool TryLockMemory() => LockAll(LockPresent | LockFuture | LockOnFault) == 0;

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static unsafe partial int SetScheduler(int pid, int policy, int* parameter);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint value, nuint unused3, nuint unused4, nuint unused5);

    [LibraryImport("libc", EntryPoint = "mlockall")]
    private static partial int LockAll(int flags);
}
