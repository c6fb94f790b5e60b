using System.Diagnostics;
using System.Globalization;
using EdgeInspector.Benchmarks.Rounds;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>A peer in a process of its own: a line to its input is one run, and it answers with its milliseconds.</summary>
internal sealed class PeerProcess : Contender
{
    private readonly Process _process;

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <exception cref="PeerMissingException">It does not start.</exception>
    public PeerProcess(string name, string program, params string[] arguments)
        : base(name)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        try
        {
            _process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new PeerMissingException($"{program}: {fault.Message}");
        }

        if (_process.StandardOutput.ReadLine() is not "ready")
        {
            _process.Dispose();
            throw new PeerMissingException($"{Path.GetFileName(program)} did not get ready");
        }
    }

    /// <inheritdoc/>
    public override double Run()
    {
        _process.StandardInput.WriteLine("run");
        _process.StandardInput.Flush();
        return _process.StandardOutput.ReadLine() is { } answer
            ? double.Parse(answer, CultureInfo.InvariantCulture)
            : throw new PeerMissingException($"{Name} has died");
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}

/// <summary>A peer that cannot run here, and why, in one line.</summary>
internal sealed class PeerMissingException(string message) : Exception(message);
