using System.Runtime.InteropServices;
using CsCheck;
using EdgeInspector.Vision.Preprocessing;
using OpenCvSharp;
using Size = OpenCvSharp.Size;

namespace EdgeInspector.Vision.Tests.Preprocessing;

/// <summary>Every path that this processor has is equal to the scalar one, and that one to OpenCV.</summary>
public sealed partial class KernelTests
{
    /// <summary>
    /// OpenCV rounds weights to 1/2048 and results to whole levels, and its vector code drops bits between. The largest
    /// difference seen in 10⁸ numbers of noise was 0.85.
    /// </summary>
    private const double Tolerance = 1.0;

    private static readonly SimdPath[] Paths = [.. Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported)];

    /// <summary>Any size, and often enough the two that have a shorter way.</summary>
    private static readonly Gen<KernelWork> Works =
        Gen.Select(Inputs(), Gen.Int[0, 4], Gen.Int[0, 9], Gen.Int).SelectMany((input, kind, slack, seed) =>
            Gen.Select(Gen.Int[1, 260], Gen.Int[1, 130]).Select((width, height) => kind switch
            {
                0 => new KernelWork(input, input.Width, input.Height, slack, seed),
                1 => new KernelWork(input, input.Width * 2, input.Height * 2, slack, seed),
                2 => new KernelWork(input, width, 1, slack, seed),
                _ => new KernelWork(input, width, height, slack, seed),
            }));

    [Fact]
    public void EveryPathGivesTheScalarPathsBits() => Works.Sample(
        work =>
        {
            var expected = work.Run(SimdPath.Scalar);
            return Paths.All(path => work.Run(path).AsSpan().SequenceEqual(expected));
        },
        iter: 400,
        seed: "0000000000001");

    [Fact]
    public void EveryProcessorGivesTheSameBits() =>
        // Arm and x86 gave this alike; whoever changes the arithmetic changes what networks see.
        Assert.Equal("5640bda86ead7ad6", KernelWork.Digest(SimdPaths.Widest));

    [Fact]
    public void WidestPathIsTheOneInUse() => Assert.Equal(Paths[^1], SimdPaths.Widest);

    [Fact]
    public void AnyPictureIsResizedAsOpenCvDoes() => Gen
        .Select(Gen.Int[1, 400], Gen.Int[1, 300], Gen.Int[8, 160], Gen.Int[8, 120], Gen.Int[0, 5], Gen.Int)
        .Sample(
            (width, height, inputWidth, inputHeight, inset, seed) =>
            {
                using var whole = Some.Noise(width + inset, height + inset, seed);
                using var picture = new Mat(whole, new Rect(inset, inset, width, height));
                using var expected = new Mat();
                Cv2.Resize(picture, expected, new Size(inputWidth, inputHeight), 0, 0, InterpolationFlags.Linear);
                var input = Levels(inputWidth, inputHeight) with { Layout = InputLayout.Nhwc };
                var numbers = Place(picture, input);
                return Differs(numbers, expected) <= Tolerance;
            },
            iter: 120,
            seed: "0000000000002");

    [Fact]
    public void HalvedLevelsAreOpenCvsExactly()
    {
        using var picture = Some.Noise(2 * 97, 2 * 61, 3);
        using var expected = new Mat();
        Cv2.Resize(picture, expected, new Size(97, 61), 0, 0, InterpolationFlags.Linear);
        var input = Levels(97, 61) with { Layout = InputLayout.Nhwc, Element = InputElement.UInt8 };
        var numbers = new byte[97 * 61 * 3];
        new Sampler(input).Place(Pixels.Of(picture), Placement.Of(2 * 97, 2 * 61, input), numbers.AsSpan());

        var bytes = new byte[numbers.Length];
        Marshal.Copy(expected.Data, bytes, 0, bytes.Length);
        Assert.Equal(bytes, numbers);
    }

    [Theory]
    [InlineData(ChannelOrder.Rgb)]
    [InlineData(ChannelOrder.Bgr)]
    [InlineData(ChannelOrder.Grey)]
    public void LayoutsAndElementsHoldTheSameNumbers(ChannelOrder channels)
    {
        using var picture = Some.Noise(150, 90, 4);
        var input = Levels(64, 48) with { Channels = channels, Fit = FitMode.Letterbox };
        var count = channels is ChannelOrder.Grey ? 1 : 3;
        var planes = Place(picture, input);
        var pixels = 64 * 48;

        var interleaved = Place(picture, input with { Layout = InputLayout.Nhwc });
        Assert.All(planes, (value, i) => Assert.Equal(value, interleaved[((i % pixels) * count) + (i / pixels)]));

        foreach (var layout in Enum.GetValues<InputLayout>())
        {
            var expected = layout is InputLayout.Nhwc ? interleaved : planes;
            var halves = new Half[expected.Length];
            var other = input with { Layout = layout, Element = InputElement.Float16 };
            Place(picture, other, MemoryMarshal.AsBytes(halves.AsSpan()));
            Assert.All(halves, (value, i) => Assert.Equal((Half)expected[i], value));

            var levels = new byte[expected.Length];
            Place(picture, other with { Element = InputElement.UInt8 }, levels);
            Assert.All(levels, (value, i) => Assert.Equal((byte)(expected[i] + 0.5f), value));
        }
    }

    [Fact]
    public void NothingBesideThePictureIsRead()
    {
        // A read into the page before or behind ends the process.
        const int Page = 4096;
        var pages = Map(0, 3 * Page, 3, 0x22, -1, 0);
        try
        {
            Assert.Equal(0, Protect(pages, Page, 0) | Protect(pages + (2 * Page), Page, 0));
            foreach (var (width, height) in ((int, int)[])[(32, 40), (16, 20), (37, 29), (1, 1), (5, 3), (64, 20)])
            {
                foreach (var path in Paths)
                {
                    Read(pages + Page, width, height, path);
                    Read(pages + (2 * Page) - (width * height * 3), width, height, path);
                }
            }
        }
        finally
        {
            _ = Unmap(pages, 3 * Page);
        }

        static unsafe void Read(nint start, int width, int height, SimdPath path)
        {
            var pixels = new Pixels((byte*)start, width * 3, width, height);
            foreach (var resample in Enum.GetValues<ResampleMode>())
            {
                var input = Levels(16, 20) with { Resample = resample };
                var sampler = new Sampler(input, path);
                var numbers = new byte[sampler.Length];
                sampler.Place(pixels, Placement.Of(width, height, input), numbers.AsSpan());
                sampler.Crop(pixels, new Box(0, 0, width + 3, height), 0.1, numbers.AsSpan());
            }
        }
    }

    [Theory]
    [InlineData(InputLayout.Nchw, InputElement.UInt8)]
    [InlineData(InputLayout.Nhwc, InputElement.UInt8)]
    [InlineData(InputLayout.Nhwc, InputElement.Float32)]
    [InlineData(InputLayout.Nchw, InputElement.Float16)]
    [InlineData(InputLayout.Nhwc, InputElement.Float16)]
    public void NoLayoutOrElementAllocates(InputLayout layout, InputElement element)
    {
        using var picture = Some.Noise(320, 240, 8);
        var input = Levels(64, 48) with { Layout = layout, Element = element };
        var sampler = new Sampler(input);
        var placement = Placement.Of(320, 240, input);
        var numbers = new byte[sampler.Length];

        Assert.Equal(0, Allocation.PerCall(() =>
        {
            var pixels = Pixels.Of(picture);
            sampler.Place(pixels, placement, numbers.AsSpan());
            sampler.Crop(pixels, new Box(10.5f, 20, 90, 71), 0.1, numbers.AsSpan());
        }));
    }

    private static Gen<NetworkInput> Inputs() =>
        Gen.Select(
            Gen.Select(Gen.Int[8, 140], Gen.Int[8, 90], Gen.Enum<ChannelOrder>(), Gen.Enum<FitMode>()),
            Gen.Select(Gen.Enum<InputLayout>(), Gen.Enum<InputElement>(), Gen.Enum<ResampleMode>()),
            Gen.Float[0, 255].Array[3],
            Gen.Float[0.5f, 300].Array[3])
        .Select((size, kind, mean, std) => new NetworkInput
        {
            Width = size.Item1,
            Height = size.Item2,
            Channels = size.Item3,
            Fit = size.Item4,
            Layout = kind.Item1,
            Element = kind.Item2,
            Resample = kind.Item3,
            Mean = kind.Item2 is InputElement.UInt8 ? [0, 0, 0] : mean,
            Std = kind.Item2 is InputElement.UInt8 ? [1, 1, 1] : std,
        });

    private static NetworkInput Levels(int width, int height) => new()
    {
        Width = width,
        Height = height,
        Channels = ChannelOrder.Bgr,
        Std = [1, 1, 1],
        Fit = FitMode.Stretch,
    };

    private static float[] Place(Mat picture, NetworkInput input)
    {
        var numbers = new float[(input.Channels is ChannelOrder.Grey ? 1 : 3) * input.Width * input.Height];
        Place(picture, input, MemoryMarshal.AsBytes(numbers.AsSpan()));
        return numbers;
    }

    private static void Place(Mat picture, NetworkInput input, Span<byte> numbers)
    {
        var sampler = new Sampler(input);
        sampler.Pad(numbers);
        sampler.Place(Pixels.Of(picture), Placement.Of(picture.Width, picture.Height, input), numbers);
    }

    private static double Differs(float[] numbers, Mat expected)
    {
        var levels = new byte[numbers.Length];
        Marshal.Copy(expected.Data, levels, 0, levels.Length);
        return numbers.Zip(levels, (number, level) => Math.Abs(number - level)).Max();
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint length);
}
