using System.Globalization;
using System.Text;

namespace EdgeInspector.Capture;

/// <summary>
/// Takes the pictures out of a multipart/x-mixed-replace stream, as network cameras send it: header lines, an empty
/// line and the picture, its length told by Content-Length or found by the end-of-image mark. Boundaries are skipped
/// over rather than matched, since cameras disagree on their dashes. One thread; the buffer grows to the largest
/// picture.
/// </summary>
internal sealed class MjpegStream(Stream stream)
{
    /// <summary>No camera's picture is larger, and what is would only fill the memory.</summary>
    private const int LargestPicture = 32 * 1024 * 1024;

    private const int LongestHeader = 8 * 1024;

    private byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;

    /// <summary>The next picture's bytes, valid until the next call; empty at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">It is no such stream.</exception>
    public ReadOnlyMemory<byte> Next()
    {
        if (ReadHeaders() is not { } length)
        {
            return default;
        }

        if (length > 0)
        {
            while (_end - _start < length)
            {
                if (!Fill(length))
                {
                    return default;
                }
            }

            return Consume(length);
        }

        var searched = 0;
        while (true)
        {
            ReadOnlySpan<byte> mark = [0xFF, 0xD9];
            var found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf(mark);
            if (found >= 0)
            {
                return Consume(searched + found + mark.Length);
            }

            searched = Math.Max(0, _end - _start - 1);
            if (!Fill(_end - _start + 1))
            {
                return default;
            }
        }
    }

    /// <summary>The told length; 0 when none was told, null at the end of the stream.</summary>
    private int? ReadHeaders()
    {
        var length = 0;
        var read = 0;
        var told = false;
        while (true)
        {
            var line = ReadLine();
            if (line is null)
            {
                return null;
            }

            read += line.Length;
            if (read > LongestHeader)
            {
                throw new InvalidDataException("sends no Motion JPEG");
            }

            // Empty lines before the first header end the picture before.
            if (line.Length == 0 && told)
            {
                return length;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            told |= colon > 0;
            if (colon > 0
                && line[..colon].Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
                && (!int.TryParse(line[(colon + 1)..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out length)
                    || length > LargestPicture))
            {
                throw new InvalidDataException($"announces a picture of {line[(colon + 1)..].Trim()} bytes");
            }
        }
    }

    private string? ReadLine()
    {
        var searched = 0;
        while (true)
        {
            var found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                return Encoding.ASCII.GetString(Consume(searched + found + 1).Span).Trim();
            }

            searched = _end - _start;
            if (searched > LongestHeader)
            {
                throw new InvalidDataException("sends no Motion JPEG");
            }

            if (!Fill(searched + 1))
            {
                return null;
            }
        }
    }

    private ReadOnlyMemory<byte> Consume(int count)
    {
        var consumed = _buffer.AsMemory(_start, count);
        _start += count;
        return consumed;
    }

    /// <summary>Reads on, making room for so many bytes; false at the end of the stream.</summary>
    private bool Fill(int wanted)
    {
        if (wanted > LargestPicture)
        {
            throw new InvalidDataException("sends a picture without end");
        }

        if (_start + wanted > _buffer.Length)
        {
            var target = wanted > _buffer.Length ? new byte[Math.Min(LargestPicture, 2 * wanted)] : _buffer;
            _buffer.AsSpan(_start, _end - _start).CopyTo(target);
            (_buffer, _end, _start) = (target, _end - _start, 0);
        }

        var read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        return read > 0;
    }
}
