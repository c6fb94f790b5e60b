using EdgeInspector.Line;

namespace EdgeInspector.Lab.Faults;

/// <summary>A fault could not be shown: what had to come did not.</summary>
internal sealed class FaultNotShownException(string what) : Exception(what);

/// <summary>Waits of a laboratory, all of them bounded.</summary>
internal static class Until
{
    /// <summary>Longer than anything here takes on a busy machine.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

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

            Thread.Sleep(2);
        }
    }
}
