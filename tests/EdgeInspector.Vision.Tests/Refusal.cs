namespace EdgeInspector.Vision.Tests;

/// <summary>
/// What the user reads when something is refused: one line, naming the file, the fault and what to do.
/// </summary>
internal static class Refusal
{
    public static void Of(PackageBuilder builder, string file, params string[] hints) =>
        Of<ModelPackageException>(() => builder.Load().Dispose(), [Path.Combine(builder.Folder, file), .. hints]);

    public static void Of<T>(Action action, params string[] hints)
        where T : VisionException
    {
        var refusal = Assert.Throws<T>(action);
        Assert.All(hints, hint => Assert.Contains(hint, refusal.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.EndsWith(".", refusal.Message);
        Assert.InRange(refusal.Message.Length, 20, 500);
    }
}
