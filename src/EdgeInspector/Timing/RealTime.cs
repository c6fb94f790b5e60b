using System.Runtime.InteropServices;

namespace EdgeInspector.Timing;

/// <summary>Asks the kernel for real-time priority, for the two threads that cannot be late: reject and sensors. <see cref="Thread.Priority"/> does nothing on Linux.</summary>
internal static partial class RealTime
{
    private const int SchedFifo = 1;

    /// <summary>
    /// Above ordinary threads and below the kernel's own interrupt threads (50 on a PREEMPT_RT kernel), which the
    /// ejector's wake-up depends on.
    /// </summary>
    private const int Priority = 40;

    /// <summary>Puts the calling thread under SCHED_FIFO; false when the system does not permit it (no CAP_SYS_NICE, no LimitRTPRIO).</summary>
    public static unsafe bool TryMakeCurrentThread()
    {
        var priority = Priority;
        return SetScheduler(0, SchedFifo, &priority) == 0;
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static unsafe partial int SetScheduler(int pid, int policy, int* parameter);
}
