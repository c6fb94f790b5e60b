using EdgeInspector.Line;

namespace EdgeInspector.Lab.Faults;

/// <summary>A fault could not be shown: what had to come did not.</summary>
internal sealed class FaultNotShownException(string what) : Exception(what);

/// <summary>Waits of a laboratory, all of them bounded.</summary>
internal static class Until
{
    private static readonly ManualResetEventSlim Never = new();

    /// <summary>Longer than anything here takes on a busy machine.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Lets time pass: a fault lasts for so many milliseconds, and what it does is to be seen in real time.</summary>
    public static void Later(double milliseconds) => Never.Wait(TimeSpan.FromMilliseconds(Math.Max(0, milliseconds)));

    /// <summary>Waits for a condition, looking every few milliseconds.</summary>
    /// <exception cref="FaultNotShownException">It did not come about in time.</exception>
    public static void True(Func<bool> condition, string otherwise)
    {
        var limit = TimeProvider.System.GetInstant() + Limit;
        while (!condition())
        {
            if (TimeProvider.System.GetInstant() > limit)
            {
                throw new FaultNotShownException($"{otherwise} within {Limit.TotalSeconds:F0} s");
            }

            Later(2);
        }
    }
}
