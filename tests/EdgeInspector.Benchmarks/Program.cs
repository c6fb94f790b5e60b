using System.Globalization;
using EdgeInspector.Benchmarks;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Soak;
using EdgeInspector.Lab;

// Speed beside the hardware's floor and beside others, as ratios taken in one run.
if (args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(
        $"""
        Benchmarks of EdgeInspector: what a model costs beyond its own arithmetic, beside other ways to run it.

        Options
          --seed=N            everything random follows from it (default 1)
          --scale=short|full  within three minutes, or what the figures are stated from (default short)
          --only=W1,W2        some works: {string.Join(", ", BenchLab.Keys)}
          --no-peers          ours and the floor alone
          --page=FILE         where figures are written (default at full scale: docs/benchmarks.md of this repository)

        The last line printed is one JSON object with every check; the exit code is 0 only if all pass.
        """
    );
    return 0;
}

if (args is [SoakProgram.Verb, var warmUp, var length, var what, var line])
{
    TimeSpan Seconds(string text) => TimeSpan.FromSeconds(int.Parse(text, CultureInfo.InvariantCulture));
    return await SoakProgram.RunAsync(Seconds(warmUp), Seconds(length), what == "everything", int.Parse(line, CultureInfo.InvariantCulture));
}

string? Value(string name) =>
    args.FirstOrDefault(argument => argument.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

int Refuse(string fault)
{
    Console.Error.WriteLine(fault);
    return 2;
}

const string NoPeers = "--no-peers";
string[] options = ["--seed=", "--scale=", "--only=", "--page="];
if (args.FirstOrDefault(argument => argument != NoPeers && !options.Any(argument.StartsWith)) is { } unknown)
{
    return Refuse($"'{unknown}' is no option; see --help.");
}

if (!int.TryParse(Value("--seed") ?? "1", CultureInfo.InvariantCulture, out var seed) || seed < 0)
{
    return Refuse($"--seed: '{Value("--seed")}' is no seed; write a whole number from 0.");
}

if (!Enum.TryParse<LabScale>(Value("--scale") ?? "short", ignoreCase: true, out var scale) || !Enum.IsDefined(scale))
{
    return Refuse($"--scale: '{Value("--scale")}' is no scale; write short or full.");
}

var only = Value("--only")?.Split(',') ?? [];
if (only.FirstOrDefault(key => !BenchLab.Keys.Contains(key)) is { } wrong)
{
    return Refuse($"--only: '{wrong}' is no work; there are {string.Join(", ", BenchLab.Keys)}.");
}

return BenchLab.Run(seed, scale, only, !args.Contains(NoPeers), Value("--page") ?? (scale == LabScale.Full ? BenchmarkPage.Find() : null));
