using System.Globalization;
using EdgeInspector.Lab;
using EdgeInspector.Lab.Commands;
using EdgeInspector.Lab.Faults;

// Laboratories: long experiments on the service's own parts, each a command of its own. `line --seed=1 --scale=full`.
if (args is [] or ["--help"] or ["-h"])
{
    Console.WriteLine(
        """
        Laboratories of EdgeInspector: long experiments, each with figures and limits.

          line      the right part at the right instant: random belts, disturbances, faults, lateness
          commands  commands of a stranger's invention: a million, none let in

        Options
          --seed=N            everything random follows from it (default 1)
          --scale=short|full  within three minutes, or what the figures are stated from (default short)
          --world=N           line: replay one world alone and say what went wrong in it
          --part=N            with --world: what the ejectors did while this part went by
          --only=PART         line: worlds, controls, lateness, faults or settings

        The last line printed is one JSON object with every check; the exit code is 0 only if all pass.
        """
    );
    return 0;
}

string? Value(string name) =>
    args.FirstOrDefault(argument => argument.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

if (!int.TryParse(Value("--seed") ?? "1", CultureInfo.InvariantCulture, out var seed) || seed < 0)
{
    Console.Error.WriteLine($"--seed: '{Value("--seed")}' is no seed; write a whole number from 0.");
    return 2;
}

if (!Enum.TryParse<LabScale>(Value("--scale") ?? "short", ignoreCase: true, out var scale))
{
    Console.Error.WriteLine($"--scale: '{Value("--scale")}' is no scale; write short or full.");
    return 2;
}

int? Number(string name) => Value(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

switch (args[0])
{
    case DyingProgram.Verb:
        return await DyingProgram.RunAsync(args[1], args[2], args[3]);
    case "line":
        return LineLab.Run(seed, scale, Value("--only"), Number("--world"), Number("--part"));
    case "commands":
        return LabReport.End("commands", seed, scale, await CommandFuzzing.RunAsync(seed, scale));
    default:
        Console.Error.WriteLine($"'{args[0]}' is no laboratory; there is: line, commands.");
        return 2;
}
