namespace EdgeInspector.Vision.Tests;

/// <summary>Counts managed bytes on the calling thread.</summary>
internal static class Allocation
{
    /// <summary>What one of many calls allocates, once everything is warm.</summary>
    public static long PerCall(Action action)
    {
        const int Calls = 200;
        for (var i = 0; i < Calls; i++)
        {
            action();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++)
        {
            action();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
    }
}
