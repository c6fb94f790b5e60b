using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// Turns pictures into a network's numbers in one pass: a rectangle of the picture is resized (bilinear, half-pixel
/// centres, as cv2.INTER_LINEAR samples, without rounding to grey levels), split into planes and normalised. Beyond
/// the picture its edge pixels repeat. The bits are the same on every processor
/// (docs/decisions/0024-one-kernel-for-pre-processing.md). One owner, one thread; allocates only when a picture is
/// wider than any before. Bicubic inputs are reduced by a <see cref="CubicResizer"/> first.
/// </summary>
/// <remarks>
/// Each output row blends two picture rows into a row of floats, then each output pixel blends two of its neighbours:
/// the first step runs along memory, the second reads one table entry per pixel, so both are straight vector code.
/// Pictures of exactly the wanted or twice the wanted size take a shorter way to the same bits.
/// </remarks>
internal sealed unsafe class Sampler
{
    private readonly NetworkInput _input;
    private readonly SimdPath _path;
    private readonly Tone _tone;
    private readonly Tone _toneOfFour;
    private readonly int _channels;
    private readonly int[] _columns;
    private readonly float[] _weights;
    private readonly CubicResizer? _cubic;

    // Null where the numbers go straight into the network's input: planes of 32-bit floats.
    private readonly float[]? _unpacked;

    // What _columns and _weights were prepared for.
    private (double Left, double Factor, int Count, int Width) _prepared;
    private (int First, int Last) _reach;

    // A pixel is read as four floats, so the last one reaches one float further; a blend with weight 0 three more.
    private float[] _row = GC.AllocateArray<float>(4096, pinned: true);

    public Sampler(NetworkInput input)
        : this(input, SimdPaths.Widest)
    {
    }

    /// <param name="input">Checked already.</param>
    /// <param name="path">One that this processor has.</param>
    public Sampler(NetworkInput input, SimdPath path)
    {
        _input = input;
        _path = path;
        _tone = new Tone(input);
        _toneOfFour = _tone.OfFour();
        _channels = _tone.IsGrey ? 1 : 3;
        _columns = GC.AllocateArray<int>(input.Width, pinned: true);
        _weights = GC.AllocateArray<float>(input.Width, pinned: true);
        _cubic = input.Resample is ResampleMode.Bicubic ? new CubicResizer() : null;

        // Three rows, and one to interleave them in.
        _unpacked = input.Element is InputElement.Float32 && (_tone.IsGrey || input.Layout is InputLayout.Nchw)
            ? null
            : GC.AllocateArray<float>(6 * input.Width, pinned: true);
    }

    /// <summary>Bytes that a picture takes in the network's input.</summary>
    public int Length => _channels * _input.Width * _input.Height * ElementSize;

    private int ElementSize => _input.Element switch
    {
        InputElement.UInt8 => sizeof(byte),
        InputElement.Float16 => sizeof(ushort),
        _ => sizeof(float),
    };

    public void Pad(Span<float> numbers) => Pad(MemoryMarshal.AsBytes(numbers));

    /// <summary>Fills everything with the normalised padding level.</summary>
    /// <param name="numbers">The network's input, its elements as bytes.</param>
    public void Pad(Span<byte> numbers)
    {
        var pixels = _input.Width * _input.Height;
        for (var channel = 0; channel < _channels; channel++)
        {
            var level = (_input.Pad - _input.Mean[channel]) / _input.Std[channel];
            var (from, step) = _input.Layout is InputLayout.Nhwc ? (channel, _channels) : (channel * pixels, 1);
            switch (_input.Element)
            {
                case InputElement.UInt8:
                    Fill(numbers, from, step, pixels, Packing.Level(level));
                    break;
                case InputElement.Float16:
                    Fill(MemoryMarshal.Cast<byte, Half>(numbers), from, step, pixels, (Half)level);
                    break;
                default:
                    Fill(MemoryMarshal.Cast<byte, float>(numbers), from, step, pixels, level);
                    break;
            }
        }

        static void Fill<T>(Span<T> numbers, int from, int step, int count, T value)
        {
            for (var i = 0; i < count; i++)
            {
                numbers[from + (i * step)] = value;
            }
        }
    }

    public void Place(in Pixels picture, in Placement placement, Span<float> numbers) =>
        Place(picture, placement, MemoryMarshal.AsBytes(numbers));

    /// <summary>Writes the whole picture where it belongs; the padding around it is left as it is.</summary>
    /// <param name="picture">As large as the placement was made for.</param>
    /// <param name="placement">Inside the input.</param>
    /// <param name="numbers">The network's input, its elements as bytes.</param>
    public void Place(in Pixels picture, in Placement placement, Span<byte> numbers) =>
        Sample(picture, 0, 0, placement, numbers);

    public void Crop(in Pixels picture, Box part, double margin, Span<float> numbers) =>
        Crop(picture, part, margin, MemoryMarshal.AsBytes(numbers));

    /// <summary>Writes the square around a part, its side the part's longer one times 1 + 2 × margin.</summary>
    /// <param name="picture">Where the part is.</param>
    /// <param name="part">In pixels of the picture; need not lie inside.</param>
    /// <param name="margin">Of the part's longer side.</param>
    /// <param name="numbers">The network's input, its elements as bytes.</param>
    public void Crop(in Pixels picture, Box part, double margin, Span<byte> numbers)
    {
        // A part without extent, or one that is no number, still gives a picture: one pixel.
        var side = Math.Max(part.Width, part.Height) * (1 + (2 * margin));
        side = side >= 1 ? Math.Min(side, 1 << 20) : 1;
        var left = Sane(part.CentreX) - (side / 2);
        var top = Sane(part.CentreY) - (side / 2);
        var whole = new Placement(
            0, 0, _input.Width, _input.Height, side / _input.Width, side / _input.Height);
        Sample(picture, left, top, whole, numbers);

        static double Sane(float centre) => float.IsFinite(centre) ? Math.Clamp(centre, -1 << 20, 1 << 20) : 0;
    }

    private void Sample(in Pixels picture, double left, double top, in Placement placement, Span<byte> numbers)
    {
        if (numbers.Length < Length)
        {
            throw new ArgumentException("The buffer is too short.", nameof(numbers));
        }

        fixed (byte* start = numbers)
        {
            if (_cubic is null)
            {
                Sample(picture, left, top, placement, start);
            }
            else
            {
                var reduced = _cubic.Resize(picture, left, top, placement);
                Sample(reduced, 0, 0, placement with { FactorX = 1, FactorY = 1 }, start);
            }
        }
    }

    private void Sample(in Pixels pixels, double left, double top, in Placement placement, byte* numbers)
    {
        var whole = WholeFactor(pixels, left, top, placement);
        var columns = whole == 0 ? Prepare(left, placement.FactorX, placement.Width, pixels.Width) : default;
        var row = (float*)Pointer(_row);
        for (var y = 0; y < placement.Height; y++)
        {
            var to = Target(placement, y, numbers);
            if (whole == 0)
            {
                var (upper, weight) = Neighbour(top + ((y + 0.5) * placement.FactorY) - 0.5, pixels.Height);
                var above = pixels.Start + (upper * pixels.Step) + (_reach.First * 3);
                Blend(above, weight == 0 ? above : above + pixels.Step, weight, row);
                Sample(row, columns, to);
            }
            else
            {
                var at = pixels.Start + (((long)top + (y * whole)) * pixels.Step) + ((long)left * 3);
                if (whole == 2)
                {
                    Halve(at, at + pixels.Step, placement.Width, to);
                }
                else
                {
                    Copy(at, placement.Width, to);
                }
            }

            if (_unpacked is not null)
            {
                Pack(placement, y, numbers);
            }
        }
    }

    /// <summary>1 or 2: the picture is as large or twice as large, on whole pixels, inside; otherwise 0.</summary>
    private static int WholeFactor(in Pixels pixels, double left, double top, in Placement placement)
    {
        var factor = placement.FactorX;
        return factor is 1 or 2 && placement.FactorY == factor
            && left >= 0 && top >= 0 && Math.Floor(left) == left && Math.Floor(top) == top
            && left + (factor * placement.Width) <= pixels.Width
            && top + (factor * placement.Height) <= pixels.Height
            ? (int)factor
            : 0;
    }

    /// <summary>The lower of the two neighbours of a position and the weight of the higher one.</summary>
    private static (int Index, float Weight) Neighbour(double position, int count)
    {
        var index = (int)Math.Floor(position);
        return index < 0 ? (0, 0)
            : index >= count - 1 ? (count - 1, 0)
            : (index, (float)(position - index));
    }

    private static void* Pointer<T>(T[] pinned) =>
        Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    private Columns Prepare(double left, double factor, int count, int width)
    {
        var columns = new Columns((int*)Pointer(_columns), (float*)Pointer(_weights), count);
        if ((left, factor, count, width) == _prepared)
        {
            return columns;
        }

        var first = Neighbour(left + (0.5 * factor) - 0.5, width).Index;
        var last = first;
        for (var x = 0; x < count; x++)
        {
            var (column, weight) = Neighbour(left + ((x + 0.5) * factor) - 0.5, width);
            _columns[x] = (column - first) * 3;
            _weights[x] = weight;
            last = weight > 0 ? column + 1 : column;
        }

        if (_row.Length < ((last - first + 1) * 3) + 8)
        {
            _row = GC.AllocateArray<float>(((last - first + 1) * 3) + 8, pinned: true);
        }

        _prepared = (left, factor, count, width);
        _reach = (first, last);
        return columns;
    }

    /// <summary>Where the row's numbers go: into the network's input, or beside it to be packed.</summary>
    private Planes Target(in Placement placement, int y, byte* numbers)
    {
        var isDirect = _unpacked is null;
        var first = isDirect ? (float*)numbers + Offset(placement, y) : (float*)Pointer(_unpacked!);
        var plane = isDirect ? _input.Width * _input.Height : _input.Width;
        return _input.Channels switch
        {
            ChannelOrder.Grey => new Planes(first, first, first),
            ChannelOrder.Bgr => new Planes(first, first + plane, first + (2 * plane)),
            _ => new Planes(first + (2 * plane), first + plane, first),
        };
    }

    /// <summary>Of a row's first number in its plane.</summary>
    private int Offset(in Placement placement, int y) => ((placement.Top + y) * _input.Width) + placement.Left;

    private void Pack(in Placement placement, int y, byte* numbers)
    {
        var rows = (float*)Pointer(_unpacked!);
        var (width, count) = (_input.Width, placement.Width);
        if (_channels == 3 && _input.Layout is InputLayout.Nhwc)
        {
            var to = numbers + ((long)Offset(placement, y) * 3 * ElementSize);
            if (_input.Element is InputElement.UInt8)
            {
                Packing.InterleaveLevels(rows, rows + width, rows + (2 * width), to, count, _path);
                return;
            }

            var row = _input.Element is InputElement.Float32 ? (float*)to : rows + (3 * width);
            Packing.Interleave(rows, rows + width, rows + (2 * width), row, count, _path);
            if (_input.Element is InputElement.Float16)
            {
                Packing.ToHalves(row, (Half*)to, 3 * count, _path);
            }

            return;
        }

        for (var channel = 0; channel < _channels; channel++)
        {
            var offset = ((long)channel * width * _input.Height) + Offset(placement, y);
            var from = rows + (channel * width);
            if (_input.Element is InputElement.UInt8)
            {
                Packing.ToLevels(from, numbers + offset, count, _path);
            }
            else
            {
                Packing.ToHalves(from, (Half*)numbers + offset, count, _path);
            }
        }
    }

    private void Blend(byte* above, byte* below, float weight, float* row)
    {
        var length = (_reach.Last - _reach.First + 1) * 3;
        switch (_path)
        {
            case SimdPath.Wide512:
                Rows512.Blend(above, below, weight, row, length);
                break;
            case SimdPath.Wide256:
                Rows256.Blend(above, below, weight, row, length);
                break;
            case SimdPath.Wide128:
                Rows128.Blend(above, below, weight, row, length);
                break;
            default:
                ScalarRows.Blend(above, below, weight, row, length);
                break;
        }
    }

    private void Sample(float* row, in Columns columns, in Planes to)
    {
        switch (_path)
        {
            case SimdPath.Wide512:
                Rows512.Sample(row, columns, _tone, to);
                break;
            case SimdPath.Wide256:
                Rows256.Sample(row, columns, _tone, to);
                break;
            case SimdPath.Wide128:
                Rows128.Sample(row, columns, _tone, to);
                break;
            default:
                ScalarRows.Sample(row, columns, _tone, to);
                break;
        }
    }

    private void Halve(byte* above, byte* below, int count, in Planes to)
    {
        switch (_path)
        {
            case SimdPath.Wide512 or SimdPath.Wide256:
                Rows256.Halve(above, below, count, _toneOfFour, to);
                break;
            case SimdPath.Wide128:
                Rows128.Halve(above, below, count, _toneOfFour, to);
                break;
            default:
                ScalarRows.Halve(above, below, count, _toneOfFour, to);
                break;
        }
    }

    private void Copy(byte* row, int count, in Planes to)
    {
        switch (_path)
        {
            case SimdPath.Wide512 or SimdPath.Wide256:
                Rows256.Copy(row, count, _tone, to);
                break;
            case SimdPath.Wide128:
                Rows128.Copy(row, count, _tone, to);
                break;
            default:
                ScalarRows.Copy(row, count, _tone, to);
                break;
        }
    }
}
