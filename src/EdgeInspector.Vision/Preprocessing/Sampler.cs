using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using OpenCvSharp;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// Turns pictures into a network's numbers in one pass: a rectangle of the picture is resized (bilinear, half-pixel
/// centres, as cv2.INTER_LINEAR samples, without rounding to grey levels), split into planes and normalised. Beyond
/// the picture its edge pixels repeat. One owner, one thread; allocates only when a picture is wider than any before.
/// Bicubic inputs are reduced by a <see cref="CubicResizer"/> first.
/// </summary>
/// <remarks>
/// Each output row blends two picture rows into a row of floats, then each output pixel blends two of its neighbours:
/// the first step runs along memory, the second reads one table entry per pixel, so both are straight vector code.
/// </remarks>
internal sealed unsafe class Sampler
{
    // ITU-R BT.601, as in OpenCV's COLOR_BGR2GRAY.
    private static readonly Vector128<float> GreyWeights = Vector128.Create(0.114f, 0.587f, 0.299f, 0f);

    private readonly NetworkInput _input;
    private readonly Vector128<float> _scale;
    private readonly Vector128<float> _bias;
    private readonly int[] _columns;
    private readonly float[] _weights;
    private readonly CubicResizer? _cubic;

    // A pixel is read as four floats, so the last one reaches one float further; a blend with weight 0 three more.
    private float[] _row = GC.AllocateArray<float>(4096, pinned: true);

    public Sampler(NetworkInput input)
    {
        _input = input;
        _columns = GC.AllocateArray<int>(input.Width, pinned: true);
        _weights = GC.AllocateArray<float>(input.Width, pinned: true);
        _cubic = input.Resample is ResampleMode.Bicubic ? new CubicResizer() : null;
        var (mean, std) = (input.Mean, input.Std);
        if (input.Channels is ChannelOrder.Grey)
        {
            (_scale, _bias) = (Vector128.Create(1 / std[0]), Vector128.Create(-mean[0] / std[0]));
        }
        else
        {
            // Lanes follow the picture: blue, green, red.
            var (blue, red) = input.Channels is ChannelOrder.Bgr ? (0, 2) : (2, 0);
            _scale = Vector128.Create(1 / std[blue], 1 / std[1], 1 / std[red], 0);
            _bias = Vector128.Create(-mean[blue] / std[blue], -mean[1] / std[1], -mean[red] / std[red], 0);
        }
    }

    /// <summary>Fills everything with the normalised padding level.</summary>
    public void Pad(Span<float> planes)
    {
        var plane = _input.Width * _input.Height;
        for (var channel = 0; channel * plane < planes.Length; channel++)
        {
            planes.Slice(channel * plane, plane).Fill((_input.Pad - _input.Mean[channel]) / _input.Std[channel]);
        }
    }

    /// <summary>Writes the whole picture where it belongs; the padding around it is left as it is.</summary>
    public void Place(Mat picture, in Placement placement, Span<float> planes) =>
        Sample(picture, 0, 0, placement, planes);

    /// <summary>Writes the square around a part, its side the part's longer one times 1 + 2 × margin.</summary>
    public void Crop(Mat picture, Box part, double margin, Span<float> planes)
    {
        // A part without extent, or one that is no number, still gives a picture: one pixel.
        var side = Math.Max(part.Width, part.Height) * (1 + (2 * margin));
        side = side >= 1 ? Math.Min(side, 1 << 20) : 1;
        var left = Sane(part.CentreX) - (side / 2);
        var top = Sane(part.CentreY) - (side / 2);
        var whole = new Placement(
            0, 0, _input.Width, _input.Height, side / _input.Width, side / _input.Height);
        Sample(picture, left, top, whole, planes);

        static double Sane(float centre) => float.IsFinite(centre) ? Math.Clamp(centre, -1 << 20, 1 << 20) : 0;
    }

    private void Sample(Mat picture, double left, double top, in Placement placement, Span<float> planes)
    {
        if (picture.Type() != MatType.CV_8UC3 || picture.Width == 0 || picture.Height == 0)
        {
            throw new ArgumentException("The picture is not 8-bit BGR, or empty.", nameof(picture));
        }

        var channels = _input.Channels is ChannelOrder.Grey ? 1 : 3;
        if (planes.Length < channels * _input.Width * _input.Height)
        {
            throw new ArgumentException("The buffer is too short.", nameof(planes));
        }

        var pixels = new Pixels((byte*)picture.Data, picture.Step(), picture.Width, picture.Height);
        if (_cubic is null)
        {
            Sample(pixels, left, top, placement, planes);
        }
        else
        {
            var reduced = _cubic.Resize(pixels, left, top, placement);
            Sample(reduced, 0, 0, placement with { FactorX = 1, FactorY = 1 }, planes);
        }
    }

    private void Sample(in Pixels pixels, double left, double top, in Placement placement, Span<float> planes)
    {
        var (first, last) = PrepareColumns(left, placement.FactorX, placement.Width, pixels.Width);
        var length = (last - first + 1) * 3;
        if (_row.Length < length + 8)
        {
            _row = GC.AllocateArray<float>(length + 8, pinned: true);
        }

        var row = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_row));
        fixed (float* start = planes)
        {
            var plane = _input.Width * _input.Height;
            for (var y = 0; y < placement.Height; y++)
            {
                var (upper, weight) = Neighbour(top + ((y + 0.5) * placement.FactorY) - 0.5, pixels.Height);
                var above = pixels.Start + (upper * pixels.Step) + (first * 3);
                BlendRows(above, weight == 0 ? above : above + pixels.Step, weight, row, length);
                var target = start + ((placement.Top + y) * _input.Width) + placement.Left;
                switch (_input.Channels)
                {
                    case ChannelOrder.Grey:
                        BlendGrey(row, target, placement.Width);
                        break;
                    case ChannelOrder.Bgr:
                        BlendPixels(row, target, target + plane, target + (2 * plane), placement.Width);
                        break;
                    default:
                        BlendPixels(row, target + (2 * plane), target + plane, target, placement.Width);
                        break;
                }
            }
        }
    }

    /// <summary>The lower of the two neighbours of a position and the weight of the higher one.</summary>
    private static (int Index, float Weight) Neighbour(double position, int count)
    {
        var index = (int)Math.Floor(position);
        return index < 0 ? (0, 0)
            : index >= count - 1 ? (count - 1, 0)
            : (index, (float)(position - index));
    }

    private (int First, int Last) PrepareColumns(double left, double factor, int count, int pictureWidth)
    {
        var first = Neighbour(left + (0.5 * factor) - 0.5, pictureWidth).Index;
        var last = first;
        for (var x = 0; x < count; x++)
        {
            var (column, weight) = Neighbour(left + ((x + 0.5) * factor) - 0.5, pictureWidth);
            _columns[x] = (column - first) * 3;
            _weights[x] = weight;
            last = weight > 0 ? column + 1 : column;
        }

        return (first, last);
    }

    private static void BlendRows(byte* above, byte* below, float weight, float* row, int length)
    {
        var i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            var factor = Vector256.Create(weight);
            for (; i <= length - 16; i += 16)
            {
                var a = Vector256.WidenLower(Vector128.Load(above + i).ToVector256Unsafe());
                var b = Vector256.WidenLower(Vector128.Load(below + i).ToVector256Unsafe());
                var (lowA, highA) = Vector256.Widen(a);
                var (lowB, highB) = Vector256.Widen(b);
                Blend(lowA, lowB, factor).Store(row + i);
                Blend(highA, highB, factor).Store(row + i + 8);
            }
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            var factor = Vector128.Create(weight);
            for (; i <= length - 8; i += 8)
            {
                var a = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(above + i)).AsByte());
                var b = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(below + i)).AsByte());
                var (lowA, highA) = Vector128.Widen(a);
                var (lowB, highB) = Vector128.Widen(b);
                Blend(lowA, lowB, factor).Store(row + i);
                Blend(highA, highB, factor).Store(row + i + 4);
            }
        }

        for (; i < length; i++)
        {
            row[i] = above[i] + ((below[i] - above[i]) * weight);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Blend(Vector256<uint> a, Vector256<uint> b, Vector256<float> weight)
    {
        var from = Vector256.ConvertToSingle(a.AsInt32());
        var change = Vector256.ConvertToSingle(b.AsInt32() - a.AsInt32());
        return Vector256.MultiplyAddEstimate(change, weight, from);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Blend(Vector128<uint> a, Vector128<uint> b, Vector128<float> weight)
    {
        var from = Vector128.ConvertToSingle(a.AsInt32());
        var change = Vector128.ConvertToSingle(b.AsInt32() - a.AsInt32());
        return Vector128.MultiplyAddEstimate(change, weight, from);
    }

    private void BlendPixels(float* row, float* blue, float* green, float* red, int count)
    {
        var columns = (int*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_columns));
        var weights = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_weights));
        var (scale, bias) = (_scale, _bias);
        var x = 0;
        if (Sse.IsSupported || AdvSimd.Arm64.IsSupported)
        {
            for (; x <= count - 4; x += 4)
            {
                var p0 = Pixel(row + columns[x], weights[x]);
                var p1 = Pixel(row + columns[x + 1], weights[x + 1]);
                var p2 = Pixel(row + columns[x + 2], weights[x + 2]);
                var p3 = Pixel(row + columns[x + 3], weights[x + 3]);
                Transpose(
                    Vector128.MultiplyAddEstimate(p0, scale, bias),
                    Vector128.MultiplyAddEstimate(p1, scale, bias),
                    Vector128.MultiplyAddEstimate(p2, scale, bias),
                    Vector128.MultiplyAddEstimate(p3, scale, bias),
                    out var b,
                    out var g,
                    out var r);
                b.Store(blue + x);
                g.Store(green + x);
                r.Store(red + x);
            }
        }

        for (; x < count; x++)
        {
            var pixel = Vector128.MultiplyAddEstimate(Pixel(row + columns[x], weights[x]), scale, bias);
            blue[x] = pixel[0];
            green[x] = pixel[1];
            red[x] = pixel[2];
        }
    }

    private void BlendGrey(float* row, float* grey, int count)
    {
        var (scale, bias) = (_scale[0], _bias[0]);
        for (var x = 0; x < count; x++)
        {
            grey[x] = (Vector128.Dot(Pixel(row + _columns[x], _weights[x]), GreyWeights) * scale) + bias;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Pixel(float* at, float weight)
    {
        var left = Vector128.Load(at);
        return Vector128.MultiplyAddEstimate(Vector128.Load(at + 3) - left, Vector128.Create(weight), left);
    }

    /// <summary>Four pixels of blue, green, red become four blues, four greens, four reds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector128<float> p0,
        Vector128<float> p1,
        Vector128<float> p2,
        Vector128<float> p3,
        out Vector128<float> blue,
        out Vector128<float> green,
        out Vector128<float> red)
    {
        if (Sse.IsSupported)
        {
            var low01 = Sse.UnpackLow(p0, p1);
            var low23 = Sse.UnpackLow(p2, p3);
            blue = Sse.MoveLowToHigh(low01, low23);
            green = Sse.MoveHighToLow(low23, low01);
            red = Sse.MoveLowToHigh(Sse.UnpackHigh(p0, p1), Sse.UnpackHigh(p2, p3));
        }
        else
        {
            var even01 = AdvSimd.Arm64.ZipLow(p0, p2);
            var even23 = AdvSimd.Arm64.ZipLow(p1, p3);
            blue = AdvSimd.Arm64.ZipLow(even01, even23);
            green = AdvSimd.Arm64.ZipHigh(even01, even23);
            red = AdvSimd.Arm64.ZipLow(AdvSimd.Arm64.ZipHigh(p0, p2), AdvSimd.Arm64.ZipHigh(p1, p3));
        }
    }
}
