using System.IO.MemoryMappedFiles;

namespace EdgeInspector.Simulation;

/// <summary>The levels of all pins in a mapped file, see <see cref="VirtualLinePins.PinFile"/>.</summary>
internal sealed class PinFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <exception cref="IOException">The file cannot be made.</exception>
    public PinFile(string path, int pins)
    {
        try
        {
            // Shared, so that others may look on from the first byte.
            var stream = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite);
            stream.SetLength(pins);
            _file = MemoryMappedFile.CreateFromFile(
                stream,
                null,
                pins,
                MemoryMappedFileAccess.ReadWrite,
                HandleInheritability.None,
                leaveOpen: false
            );
            _view = _file.CreateViewAccessor(0, pins);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: the file of pins cannot be made; name one in a folder you may write to", e);
        }
    }

    public void Write(int pin, bool high)
    {
        _view.Write(pin, (byte)(high ? 1 : 0));
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
