namespace EdgeInspector.Quantization.Tests;

/// <summary>What the user reads when something is refused: one line, naming the fault and what to do.</summary>
internal static class Refusal
{
    public static void Of(Action action, params string[] hints)
    {
        var refusal = Assert.Throws<OnnxException>(action);
        Assert.All(hints, hint => Assert.Contains(hint, refusal.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.EndsWith(".", refusal.Message);
    }
}
