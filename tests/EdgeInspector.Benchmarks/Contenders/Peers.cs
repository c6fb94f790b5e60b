using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>
/// The others: which can run here, and why the rest cannot. Nobody is left out silently.
/// </summary>
internal sealed class Peers(Bench bench, bool areWanted)
{
    /// <summary>The newest on npm whose library is near ours.</summary>
    private const string NodePackage = "onnxruntime-node@1.30.0";

    private readonly Dictionary<string, string> _missing = [];
    private string? _native;
    private string? _node;

    /// <summary>Name and reason of each peer that could not run.</summary>
    public IReadOnlyDictionary<string, string> Missing => _missing;

    /// <summary>Those that can run this work.</summary>
    /// <param name="package">The models.</param>
    /// <param name="size">The detector's input.</param>
    /// <param name="picture">What the detector is shown.</param>
    /// <param name="crops">Pictures a classifier's run has.</param>
    public List<Contender> Open(BenchPackage package, int size, Mat picture, int crops)
    {
        List<Contender> peers = [];
        if (!areWanted)
        {
            return peers;
        }

        var classifier = package.Classifier ?? "-";
        Try("raw C++", () => new PeerProcess("raw C++", Native(), OrtLibrary(), "serve", package.Detector!, classifier, Text(crops)));
        Try("tutorial way", () => new Tutorial(package, size, picture));
        Try("OpenCV DNN", () => new OpenCvNetwork(package, size, picture));
        Try(
            "onnxruntime-node",
            () => new PeerProcess("onnxruntime-node", "node", Beside("node/peer.mjs"), Node(), package.Detector!, classifier, Text(crops))
        );
        return peers;

        void Try(string name, Func<Contender> open)
        {
            try
            {
                var peer = open();
                peer.Run();
                peers.Add(peer);
            }
            catch (Exception fault) when (fault is PeerMissingException or OpenCVException or OpenCvSharpException)
            {
                var reason = fault.Message.ReplaceLineEndings(" ");
                var where = package.Classifier is null ? name : $"{name}, two stages";
                if (_missing.TryAdd(where, reason))
                {
                    LabReport.Tell($"peer missing: {where}: {reason}");
                }
            }
        }
    }

    /// <summary>The C++ program, compiled once.</summary>
    /// <exception cref="PeerMissingException">No compiler, or no headers.</exception>
    public string Native()
    {
        if (_native is not null)
        {
            return _native;
        }

        var program = Path.Combine(bench.Folder, "floor");
        var headers = Path.Combine(OrtPackage(), "build", "native", "include");
        if (!Directory.Exists(headers))
        {
            throw new PeerMissingException("the ONNX Runtime package brings no C++ headers");
        }

        var (code, output) = Start("g++", "-O2", "-std=c++20", "-I", headers, "-o", program, Beside("native/floor.cpp"), "-ldl", "-pthread");
        return code == 0 ? _native = program : throw new PeerMissingException($"g++ failed: {output}");
    }

    /// <summary>The very library that this process runs.</summary>
    public static string OrtLibrary()
    {
        var architecture = System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier.EndsWith("arm64", StringComparison.Ordinal)
            ? "linux-arm64"
            : "linux-x64";
        return Path.Combine(OrtPackage(), "runtimes", architecture, "native", "libonnxruntime.so");
    }

    /// <summary>The folder with Node's packages; filled at full scale, used where it is filled.</summary>
    private string Node()
    {
        if (_node is not null)
        {
            return _node;
        }

        var folder = Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME")
                ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
            "edge-inspector-bench",
            NodePackage
        );
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "onnxruntime-node")))
        {
            if (!bench.IsFull)
            {
                throw new PeerMissingException("not installed yet; a run at full scale fetches it");
            }

            Directory.CreateDirectory(folder);
            var (code, output) = Start("npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", NodePackage);
            if (code != 0)
            {
                Directory.Delete(folder, recursive: true);
                throw new PeerMissingException($"npm failed: {output.Trim()}");
            }
        }

        return _node = folder;
    }

    private static string OrtPackage() =>
        typeof(Peers).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(data => data.Key == "OrtPackage")?.Value
        ?? throw new PeerMissingException("built without the ONNX Runtime package");

    private static string Beside(string file) => Path.Combine(AppContext.BaseDirectory, file);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static (int Code, string Output) Start(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true }
            )!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, errors.Length > 0 ? errors : output.Result);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new PeerMissingException($"no {program} here");
        }
    }
}
