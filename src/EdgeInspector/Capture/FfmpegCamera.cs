using System.Diagnostics;
using System.Globalization;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// RTSP, and HTTP streams other than Motion JPEG, decoded by the ffmpeg program where OpenCV's own FFmpeg has no
/// network, as in its packaged build. ffmpeg writes bare pictures (PPM: a line of size, then red, green, blue) into a
/// pipe.
/// </summary>
internal sealed class FfmpegCamera : ByteStreamCamera
{
    /// <summary>The program, looked for on the search path.</summary>
    public const string Program = "ffmpeg";

    private readonly Process _process;
    private readonly Stream _pipe;
    private readonly string _address;
    private string? _complaint;
    private Mat? _raw;

    private FfmpegCamera(CameraSource source, CameraOptions options, TimeProvider time, Process process)
        : base(source.Name, options, time)
    {
        _address = source.Address;
        _process = process;
        _pipe = new BufferedStream(process.StandardOutput.BaseStream, 1 << 16);
        process.ErrorDataReceived += (_, line) => _complaint = line.Data is { Length: > 0 } text ? text : _complaint;
        process.BeginErrorReadLine();
    }

    /// <summary>Starts ffmpeg and waits for its first picture.</summary>
    /// <exception cref="CameraException">There is no ffmpeg, or the stream gives no picture.</exception>
    public static FfmpegCamera Open(CameraSource source, CameraOptions options, TimeProvider time)
    {
        Process process;
        try
        {
            process = Process.Start(Command(source))!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new CameraException(
                source.Name,
                "this OpenCV build has no network, and there is no ffmpeg to stand in for it",
                "install ffmpeg (apt install ffmpeg)");
        }

        var camera = new FfmpegCamera(source, options, time, process);
        try
        {
            camera.Begin(options);
            return camera;
        }
        catch
        {
            camera.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override bool ReadPicture(Mat destination)
    {
        if (ReadToken() != "P6")
        {
            // The end: ffmpeg has said why, if it knew.
            _process.WaitForExit();
            throw new IOException(_complaint is { } text ? WithoutAddress(text) : "the stream ended");
        }

        var (width, height, depth) = (Number(), Number(), Number());
        if (depth != byte.MaxValue)
        {
            throw new InvalidDataException($"ffmpeg sends pictures of depth {depth}");
        }

        _raw ??= new Mat();
        _raw.Create(height, width, MatType.CV_8UC3);
        ReadInto(_raw);
        Cv2.CvtColor(_raw, destination, ColorConversionCodes.RGB2BGR);
        return true;
    }

    /// <inheritdoc/>
    protected override void CutOff()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
    }

    /// <inheritdoc/>
    protected override void DisposeSource()
    {
        _process.WaitForExit();
        _pipe.Dispose();
        _process.Dispose();
        _raw?.Dispose();
    }

    private static ProcessStartInfo Command(CameraSource source)
    {
        // Nothing is kept back for smoothness, and every picture comes out as often as it came in.
        var isRtsp = source.Address.StartsWith("rtsp", StringComparison.OrdinalIgnoreCase);
        string[] transport = isRtsp ? ["-rtsp_transport", "tcp"] : [];
        string[] arguments =
        [
            "-nostdin", "-hide_banner", "-loglevel", "error", "-fflags", "nobuffer", "-flags", "low_delay",
            .. transport, "-i", source.Address, "-an", "-sn", "-dn", "-vsync", "passthrough", "-f", "image2pipe",
            "-c:v", "ppm", "pipe:1",
        ];
        return new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }

    /// <summary>ffmpeg begins with the address, password and all; the message has its own beginning.</summary>
    private string WithoutAddress(string complaint) => complaint
        .Replace(_address + ": ", "", StringComparison.Ordinal)
        .Replace(_address, Name, StringComparison.Ordinal);

    private unsafe void ReadInto(Mat picture) => _pipe.ReadExactly(
        new Span<byte>(picture.DataPointer, checked((int)(picture.Total() * picture.ElemSize()))));

    private int Number() =>
        int.TryParse(ReadToken(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number is > 0 and <= 16_384
            ? number
            : throw new InvalidDataException("ffmpeg sends no pictures");

    /// <summary>Up to, and with, one white-space character, as PPM has it; empty at the end.</summary>
    private string ReadToken()
    {
        Span<char> token = stackalloc char[8];
        var length = 0;
        while (length < token.Length)
        {
            var read = _pipe.ReadByte();
            if (read < 0 || char.IsWhiteSpace((char)read))
            {
                break;
            }

            token[length++] = (char)read;
        }

        return new string(token[..length]);
    }
}
