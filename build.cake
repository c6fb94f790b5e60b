// The build, in small named tasks. ./build.sh starts it (and sets the machine up before); run with no other bootstrapper.
#nullable enable
using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Threading;
using System.Xml.Linq;

var target = Argument("target", "Test");
var hostRid = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64
    ? "linux-arm64"
    : "linux-x64";
var rid = Argument("rid", hostRid);
var ortFlavor = Argument("ort", "Cpu");

const string Configuration = "Release";
const string Solution = "EdgeInspector.sln";
const string Lab = "tests/EdgeInspector.Lab/EdgeInspector.Lab.csproj";
const string Benchmarks = "tests/EdgeInspector.Benchmarks/EdgeInspector.Benchmarks.csproj";
const string Service = "src/EdgeInspector/EdgeInspector.csproj";
var artifacts = MakeAbsolute(Directory("artifacts"));
var testResults = artifacts.Combine("tests");

// Warnings stop this build, not the person typing: ContinuousIntegrationBuild turns them into errors.
DotNetMSBuildSettings Strict() => new DotNetMSBuildSettings()
    .WithProperty("ContinuousIntegrationBuild", "true")
    .WithProperty("OrtFlavor", ortFlavor);

// ------------------------------------------------------------------------------------------------ building

Task("Clean")
    .Description("Remove what was built.")
    .Does(() =>
{
    var settings = new DeleteDirectorySettings { Recursive = true, Force = true };
    DeleteDirectories(GetDirectories("src/*/bin") + GetDirectories("src/*/obj")
        + GetDirectories("tests/*/bin") + GetDirectories("tests/*/obj"), settings);
    // The artifacts folder itself stays: build.sh holds its lock in there.
    DeleteDirectories(GetDirectories("artifacts/*"), settings);
    DeleteFiles("artifacts/*");
});

Task("Restore")
    .Description("Fetch exactly the packages that the lock files name.")
    .Does(() => Restore(Solution));

Task("Build")
    .Description("Compile everything; a warning is an error.")
    .IsDependentOn("Restore")
    .Does(() => DotNetBuild(Solution, new DotNetBuildSettings
    {
        Configuration = Configuration,
        NoRestore = true,
        NoLogo = true,
        Verbosity = DotNetVerbosity.Minimal,
        MSBuildSettings = Strict(),
    }));

Task("Lab")
    .Description("Compile the laboratories.")
    .Does(() => Compile(Lab));

Task("Bench")
    .Description("Compile the benchmarks.")
    .Does(() => Compile(Benchmarks));

void Compile(string project)
{
    Restore(project);
    DotNetBuild(project, new DotNetBuildSettings
    {
        Configuration = Configuration,
        NoRestore = true,
        NoLogo = true,
        Verbosity = DotNetVerbosity.Minimal,
        MSBuildSettings = Strict(),
    });
}

Task("Publish")
    .Description("The program, ready to copy, for this machine or the one named by --rid.")
    .Does(() =>
{
    // Compiled ahead, the first verdict comes a quarter of a second earlier. It takes some 200 MB of packages more, which a
    // demonstration need not wait for.
    var ahead = EnvironmentVariable("BUILD_AHEAD") == "no"
        ? new Dictionary<string, string>()
        : new Dictionary<string, string> { ["PublishReadyToRun"] = "true", ["EnableRuntimePackDownload"] = "true" };
    Restore(Service, ahead);
    var output = rid == hostRid && ortFlavor == "Cpu"
        ? artifacts.Combine("edge-inspector")
        : artifacts.Combine($"edge-inspector-{rid}{(ortFlavor == "Cpu" ? "" : $"-{ortFlavor}")}");
    // Files left by an earlier version would be loaded like any other.
    CleanDirectory(output);
    DotNetPublish(Service, new DotNetPublishSettings
    {
        Configuration = Configuration,
        Runtime = rid,
        SelfContained = false,
        NoRestore = true,
        NoLogo = true,
        Verbosity = DotNetVerbosity.Minimal,
        OutputDirectory = output,
        MSBuildSettings = With(Strict(), ahead),
    });
    Information($"The program is in {output.FullPath}");
});

Task("Format")
    .Description("Lay out all C# alike.")
    .Does(() => DotNetTool("csharpier format src tests"));

// A flavour other than the default has no committed lock file to hold it to.
void Restore(string project, Dictionary<string, string>? properties = null) => DotNetRestore(project, new DotNetRestoreSettings
{
    LockedMode = ortFlavor == "Cpu",
    Verbosity = DotNetVerbosity.Minimal,
    MSBuildSettings = With(new DotNetMSBuildSettings().WithProperty("OrtFlavor", ortFlavor), properties ?? []),
});

DotNetMSBuildSettings With(DotNetMSBuildSettings settings, Dictionary<string, string> properties) =>
    properties.Aggregate(settings, (all, property) => all.WithProperty(property.Key, property.Value));

// ------------------------------------------------------------------------------------------------- testing

Task("Test")
    .Description("Every test, .NET and Python; their sum goes to artifacts/tests/summary.txt.")
    .IsDependentOn("Build")
    .Does(() =>
{
    EnsureDirectoryExists(testResults);
    CleanDirectory(testResults);
    var arguments = (EnvironmentVariable("BUILD_TEST_ARGUMENTS") ?? "")
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);
    var python = EnvironmentVariable("BUILD_PYTHON");

    var sum = new Tally();
    // One after the other: tests that measure time want the machine to themselves.
    foreach (var project in GetFiles("tests/*/*.csproj").OrderBy(file => file.FullPath, StringComparer.Ordinal))
    {
        sum += RunTestProgram(project, arguments);
    }

    // Laboratories in their short form. Timing is reported and fails nobody: the machine may be busy.
    if (arguments.Length == 0)
    {
        sum += RunLab("line", Lab, "line");
        sum += RunLab("bench", Benchmarks);
    }

    // Arguments choose among .NET tests; the Python ones would not understand them.
    if (!string.IsNullOrEmpty(python) && arguments.Length == 0 && DirectoryExists("tests/training"))
    {
        sum += RunPythonTests(python, "tests/training");
    }
    if (EnvironmentVariable("BUILD_TRAINING_SKIPPED") is { Length: > 0 } reason)
    {
        Information($"\ntests/training: skipped, {reason}");
        sum += new Tally(Skipped: 1);
    }

    System.IO.File.WriteAllText(testResults.CombineWithFilePath("summary.txt").FullPath, sum + "\n");
    if (sum.Failed > 0)
    {
        throw new CakeException($"{sum.Failed} failed");
    }
    if (sum.Passed == 0)
    {
        throw new CakeException("no test ran");
    }
});

Tally RunTestProgram(FilePath project, IReadOnlyList<string> arguments)
{
    var name = project.GetFilenameWithoutExtension().FullPath;
    // Benchmarks live beside the tests but are no tests.
    var program = project.GetDirectory().CombineWithFilePath($"bin/{Configuration}/net10.0/{name}");
    if (!System.IO.File.ReadAllText(project.FullPath).Contains("xunit.v3"))
    {
        return new Tally();
    }

    var report = testResults.CombineWithFilePath($"{name}.xml");
    Information($"\n{name}");
    var (code, _) = Run(program.FullPath,
        [.. arguments, "-noLogo", "-noColor", "-noAutoReporters", "-result-xml", report.FullPath]);

    var tally = new Tally();
    if (System.IO.File.Exists(report.FullPath))
    {
        foreach (var assembly in XDocument.Load(report.FullPath).Descendants("assembly"))
        {
            int Count(string attribute) => (int?)assembly.Attribute(attribute) ?? 0;
            tally += new Tally(Count("passed"), Count("failed") + Count("errors"), Count("skipped"));
        }
    }
    // A program that died, or never reported, has failed once more than it says.
    return code != 0 && tally.Failed == 0 ? Failed(tally, $"{name} ended with exit code {code}") : tally;
}

Tally RunLab(string lab, FilePath project, params string[] arguments)
{
    Information($"\n{lab} laboratory, short scale");
    var program = project.GetDirectory().CombineWithFilePath(
        $"bin/{Configuration}/net10.0/{project.GetFilenameWithoutExtension()}");
    var (code, output) = Run(program.FullPath, [.. arguments, "--scale=short"]);
    var last = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault(line => line.StartsWith('{'));
    if (last is null)
    {
        return Failed(new Tally(), $"the {lab} laboratory ended with exit code {code} and without a report");
    }

    var checks = System.Text.Json.JsonDocument.Parse(last).RootElement.GetProperty("checks").EnumerateArray().ToArray();
    bool Is(System.Text.Json.JsonElement check, string kind) => check.GetProperty("kind").GetString() == kind;
    var correctness = checks.Where(check => Is(check, "correctness")).ToArray();
    return new Tally(
        correctness.Count(check => check.GetProperty("pass").GetBoolean()),
        correctness.Count(check => !check.GetProperty("pass").GetBoolean()));
}

Tally RunPythonTests(string python, string folder)
{
    Information($"\n{folder} ({python})");
    var (code, output) = Run(python, ["-B", "-m", "unittest", "discover", "-v", "-s", folder]);

    int Count(string pattern) => Regex.Matches(output, pattern, RegexOptions.Multiline) is [.., var last]
        ? int.Parse(last.Groups[1].Value)
        : 0;
    var ran = Count(@"^Ran (\d+) tests? in");
    var failed = Count(@"^FAILED \(.*?failures=(\d+)") + Count(@"^FAILED \(.*?errors=(\d+)");
    var skipped = Count(@"^(?:OK|FAILED) \(.*?skipped=(\d+)");
    var tally = new Tally(Math.Max(0, ran - failed - skipped), failed, skipped);
    return code != 0 && failed == 0 ? Failed(tally, $"the tests in {folder} ended with exit code {code}") : tally;
}

Tally Failed(Tally tally, string why)
{
    Error(why);
    return tally with { Failed = tally.Failed + 1 };
}

// Runs a program, shows what it says as it says it, and keeps it.
(int Code, string Output) Run(string program, IEnumerable<string> arguments)
{
    var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
    using var process = new Process { StartInfo = start };
    var output = new StringBuilder();
    void Show(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            lock (output)
            {
                output.Append(line.Data).Append('\n');
                Console.WriteLine(line.Data);
            }
        }
    }

    process.OutputDataReceived += Show;
    process.ErrorDataReceived += Show;
    process.Start();
    process.BeginOutputReadLine();
    process.BeginErrorReadLine();
    process.WaitForExit();
    return (process.ExitCode, output.ToString());
}

// How the tests of one runner, or of all, went.
record Tally(int Passed = 0, int Failed = 0, int Skipped = 0)
{
    public static Tally operator +(Tally a, Tally b) =>
        new(a.Passed + b.Passed, a.Failed + b.Failed, a.Skipped + b.Skipped);

    public override string ToString() =>
        $"{Passed} passed, {Failed} failed" + (Skipped > 0 ? $", {Skipped} skipped" : "");
}

RunTarget(target);
