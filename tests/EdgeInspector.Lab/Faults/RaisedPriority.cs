using System.ComponentModel;
using System.Diagnostics;

namespace EdgeInspector.Lab.Faults;

/// <summary>
/// The priority of a service that has its board to itself, for threads and programs that this thread starts: what is to be
/// seen is the fault that was done, and not a compiler beside it. Where the system does not permit it, nothing happens.
/// </summary>
internal sealed class RaisedPriority : IDisposable
{
    private readonly Process _process = Process.GetCurrentProcess();

    /// <summary>Raises it.</summary>
    public RaisedPriority() => TrySet(ProcessPriorityClass.High);

    /// <inheritdoc/>
    public void Dispose()
    {
        TrySet(ProcessPriorityClass.Normal);
        _process.Dispose();
    }

    private void TrySet(ProcessPriorityClass priority)
    {
        try
        {
            _process.PriorityClass = priority;
        }
        catch (Win32Exception)
        {
            // Not permitted to go below zero, or back: then times are what they are.
        }
    }
}
