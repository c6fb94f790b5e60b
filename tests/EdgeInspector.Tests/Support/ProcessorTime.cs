using System.ComponentModel;
using System.Runtime.InteropServices;

namespace EdgeInspector.Tests.Support;

/// <summary>What a piece of work costs, whatever else the machine is doing: the processor time of the calling thread.</summary>
internal static class ProcessorTime
{
    private const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID

    public static TimeSpan OfThisThread()
    {
        if (GetTime(ThreadClock, out var time) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / 100);
    }

    [DllImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static extern int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
