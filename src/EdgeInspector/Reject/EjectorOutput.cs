using System.Device.Gpio;

namespace EdgeInspector.Reject;

/// <summary>
/// The ejector pins. Safe (released) from the moment they are opened until they are disposed, except while a pulse lasts,
/// and released for good by <see cref="MakeSafe"/>. Owned by the reject thread, which alone sets lanes; any thread may make
/// safe. Owns neither the controller nor its driver.
/// </summary>
internal sealed class EjectorOutput : IDisposable
{
    private readonly GpioController _controller;
    private readonly EjectorOptions[] _ejectors;

    // One pair a lane: the library's single-pin Write allocates 40 bytes a call (System.Device.Gpio 4.2), the span overload none.
    private readonly PinValuePair[] _off;
    private readonly PinValuePair[] _on;
    private byte _energised;
    private volatile bool _isSafe;
    private bool _disposed;

    /// <summary>Opens every pin as an output at its rest level.</summary>
    /// <exception cref="InvalidOperationException">A pin cannot be an output.</exception>
    public EjectorOutput(GpioController controller, IEnumerable<EjectorOptions> ejectors)
    {
        _controller = controller;
        _ejectors = [.. ejectors];
        _off = [.. _ejectors.Select(ejector => new PinValuePair(ejector.Pin, Level(ejector, on: false)))];
        _on = [.. _ejectors.Select(ejector => new PinValuePair(ejector.Pin, Level(ejector, on: true)))];
        foreach (var ejector in _ejectors)
        {
            controller.OpenPin(ejector.Pin, PinMode.Output, Level(ejector, on: false));
        }
    }

    /// <summary>False takes the check of the pin's mode out. For the laboratory, which must notice.</summary>
    public bool ChecksMode { get; set; } = true;

    /// <summary>Number of lanes.</summary>
    public int Lanes => _ejectors.Length;

    /// <summary>Energises or releases several lanes, one bit a lane; returns those whose pin is no longer an output.</summary>
    public byte SetLanes(byte lanes, bool on)
    {
        byte refused = 0;
        for (var lane = 0; lane < _ejectors.Length; lane++)
        {
            if ((lanes & (1 << lane)) != 0 && !TrySet(lane, on))
            {
                refused |= (byte)(1 << lane);
            }
        }

        return refused;
    }

    /// <summary>
    /// Energises or releases a lane. False when the pin is no longer an output: System.Device.Gpio would then do nothing
    /// and say nothing, and the part would get through. False, too, for energising once the lanes were made safe for good.
    /// </summary>
    public bool TrySet(int lane, bool on)
    {
        if ((on && _isSafe) || (ChecksMode && _controller.GetPinMode(_ejectors[lane].Pin) != PinMode.Output))
        {
            return false;
        }

        _controller.Write((on ? _on : _off).AsSpan(lane, 1));
        if (!on)
        {
            _energised &= (byte)~(1 << lane);
            return true;
        }

        _energised |= (byte)(1 << lane);

        // No lock that a dying thread could hold. Whoever made the lanes safe meanwhile wrote before or after this write;
        // in the first case it is seen here.
        Interlocked.MemoryBarrier();
        if (!_isSafe)
        {
            return true;
        }

        _controller.Write(_off.AsSpan(lane, 1));
        return false;
    }

    /// <summary>
    /// Writes the rest level to the lanes that are at rest, which changes nothing: a moment before a pulse, so that the same
    /// way is quick when it counts. Reject thread.
    /// </summary>
    public void Rehearse()
    {
        for (var lane = 0; lane < _ejectors.Length; lane++)
        {
            if ((_energised & (1 << lane)) == 0)
            {
                TrySet(lane, on: false);
            }
        }
    }

    /// <summary>Writes the rest level to every lane.</summary>
    public void WriteSafe()
    {
        for (var lane = 0; lane < _ejectors.Length; lane++)
        {
            TrySet(lane, on: false);
        }
    }

    /// <summary>Writes the rest level for good: no lane fires afterwards. Any thread, when the process is about to end.</summary>
    public void MakeSafe()
    {
        _isSafe = true;
        Interlocked.MemoryBarrier();
        if (!_disposed)
        {
            WriteSafe();
        }
    }

    /// <summary>Rests and closes the pins. The level is written first: some chips keep the last one after release.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        WriteSafe();
        foreach (var ejector in _ejectors)
        {
            _controller.ClosePin(ejector.Pin);
        }
    }

    private static PinValue Level(EjectorOptions ejector, bool on) =>
        on == ejector.ActiveHigh ? PinValue.High : PinValue.Low;
}
