using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>How long a test waits before it gives up. Nothing takes as long unless it is broken.</summary>
internal static class Patience
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    public static Task Patiently(this Task task) => task.WaitAsync(Long, TestContext.Current.CancellationToken);

    public static Task<T> Patiently<T>(this Task<T> task) => task.WaitAsync(Long, TestContext.Current.CancellationToken);
}
