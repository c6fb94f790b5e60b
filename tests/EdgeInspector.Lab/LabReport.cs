using System.Text.Json;

namespace EdgeInspector.Lab;

/// <summary>What a laboratory ends with: a table for people on standard error, one JSON object as the last line.</summary>
internal static class LabReport
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Says how a part of the laboratory goes.</summary>
    public static void Tell(string text) => Console.Error.WriteLine(text);

    /// <summary>Prints the checks and returns the exit code: 0 only if all pass.</summary>
    public static int End(string lab, int seed, LabScale scale, IReadOnlyList<LabCheck> checks)
    {
        var width = checks.Max(check => check.Name.Length);
        foreach (var check in checks)
        {
            Tell($"{(check.Pass ? "pass" : "FAIL")}  {check.Name.PadRight(width)}  {check.Value,12:0.####}  limit {check.Limit:0.####}  {check.Kind}");
        }

        Console.WriteLine(
            JsonSerializer.Serialize(new { lab, seed, scale = scale.ToString().ToLowerInvariant(), checks }, Format)
        );
        return checks.All(check => check.Pass) ? 0 : 1;
    }
}
