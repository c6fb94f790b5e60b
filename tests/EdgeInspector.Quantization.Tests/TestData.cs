namespace EdgeInspector.Quantization.Tests;

/// <summary>Real models and pictures that do not live in the repository; tests skip where they are absent.</summary>
internal static class TestData
{
    public static string Model(string name)
    {
        var path = Path.Combine(Root(), "models", name);
        Assert.SkipUnless(File.Exists(path), $"{name} is not among the test data (EDGEINSPECTOR_TEST_DATA)");
        return path;
    }

    private static string Root()
    {
        if (Environment.GetEnvironmentVariable("EDGEINSPECTOR_TEST_DATA") is { Length: > 0 } root)
        {
            return root;
        }

        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EdgeInspector.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder?.FullName ?? ".", "..", "shared", "data");
    }
}
