using Xunit;

namespace EdgeInspector.Tests.Conventions;

/// <summary>Fails a test with all offenders in full, one a line.</summary>
internal static class Offenders
{
    public static void None(IEnumerable<string> offenders)
    {
        var all = offenders.ToList();
        Assert.True(all.Count == 0, $"{all.Count} found:\n{string.Join('\n', all)}");
    }
}
