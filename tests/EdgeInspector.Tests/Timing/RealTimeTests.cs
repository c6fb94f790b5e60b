using EdgeInspector.Timing;
using Xunit;

namespace EdgeInspector.Tests.Timing;

public sealed class RealTimeTests
{
    [Fact]
    public void ThreadThatWasGivenRealTimePrioritySaysSoInProc()
    {
        var policy = "";
        var given = false;
        var thread = new Thread(() =>
        {
            given = RealTime.TryMakeCurrentThread();

            // proc_pid_stat(5): fields 40 and 41 are real-time priority and policy; the name in brackets may hold blanks.
            var stat = File.ReadAllText("/proc/thread-self/stat");
            policy = string.Join(' ', stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[37..39]);
        });
        thread.Start();
        thread.Join();
        Assert.Equal(given ? "40 1" : "0 0", policy);
    }
}
