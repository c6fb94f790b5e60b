using EdgeInspector.Vision.Preprocessing;
using OpenCvSharp;

namespace EdgeInspector.Vision.Tests.Preprocessing;

/// <summary>
/// OpenCV is the yardstick: it samples the same positions and rounds to grey levels, so one level is equal.
/// </summary>
public sealed class SamplerTests
{
    private static readonly float[] Identity = [1, 1, 1];

    [Theory]
    [InlineData(1280, 1024, 640, 640)]
    [InlineData(640, 480, 160, 120)]
    [InlineData(333, 257, 160, 120)]
    [InlineData(97, 61, 224, 224)]
    [InlineData(5, 3, 33, 17)]
    [InlineData(1, 1, 8, 8)]
    [InlineData(64, 1, 16, 16)]
    [InlineData(1920, 1080, 417, 291)]
    public void StretchedPictureIsOpenCvsResize(int width, int height, int inputWidth, int inputHeight)
    {
        using var picture = Some.Noise(width, height, 1);
        using var expected = new Mat();
        Cv2.Resize(picture, expected, new Size(inputWidth, inputHeight), 0, 0, InterpolationFlags.Linear);
        var input = new NetworkInput
        {
            Width = inputWidth,
            Height = inputHeight,
            Channels = ChannelOrder.Bgr,
            Std = Identity,
            Fit = FitMode.Stretch,
        };

        AssertEqual(expected, Place(picture, input), 1.0);
    }

    [Theory]
    [InlineData(FitMode.Letterbox, 1280, 1024)]
    [InlineData(FitMode.Letterbox, 810, 1080)]
    [InlineData(FitMode.LetterboxTopLeft, 810, 1080)]
    [InlineData(FitMode.LetterboxTopLeft, 301, 77)]
    public void LetterboxedPictureIsResizedAndPadded(FitMode fit, int width, int height)
    {
        using var picture = Some.Noise(width, height, 2);
        var input = new NetworkInput
        {
            Width = 416, Height = 320, Channels = ChannelOrder.Bgr, Std = Identity, Fit = fit,
        };
        var scale = Math.Min(416.0 / width, 320.0 / height);
        var size = new Size((int)Math.Round(width * scale), (int)Math.Round(height * scale));
        using var resized = new Mat();
        Cv2.Resize(picture, resized, size, 0, 0, InterpolationFlags.Linear);
        var (left, top) = fit is FitMode.Letterbox ? ((416 - size.Width) / 2, (320 - size.Height) / 2) : (0, 0);
        using var expected = new Mat();
        Cv2.CopyMakeBorder(
            resized, expected, top, 320 - size.Height - top, left, 416 - size.Width - left, BorderTypes.Constant,
            Scalar.All(114));

        AssertEqual(expected, Place(picture, input), 1.0);
    }

    [Fact]
    public void CropOverTheEdgeRepeatsTheEdge()
    {
        using var picture = Some.Noise(200, 150, 3);
        using var bordered = new Mat();
        Cv2.CopyMakeBorder(picture, bordered, 300, 300, 300, 300, BorderTypes.Replicate);
        var input = new NetworkInput
        {
            Width = 64, Height = 64, Channels = ChannelOrder.Bgr, Std = Identity, Fit = FitMode.Stretch,
        };
        var sampler = new Sampler(input);
        var planes = new float[3 * 64 * 64];

        Box[] boxes = [new(-20, 10, 40, 60), new(150, 100, 230, 180), new(20, 20, 100, 80), new(-90, -90, -70, -60)];
        foreach (var box in boxes)
        {
            // A whole number of pixels, so that OpenCV can cut the same square.
            var side = (int)(Math.Max(box.Width, box.Height) * 1.5);
            var (x, y) = ((int)(box.CentreX - (side / 2.0)), (int)(box.CentreY - (side / 2.0)));
            using var square = new Mat(bordered, new Rect(x + 300, y + 300, side, side));
            using var wide = new Mat();
            Cv2.CopyMakeBorder(square, wide, 0, 0, 0, 0, BorderTypes.Replicate);
            using var expected = new Mat();
            Cv2.Resize(wide, expected, new Size(64, 64), 0, 0, InterpolationFlags.Linear);

            sampler.Crop(Pixels.Of(picture), box, 0.25, planes.AsSpan());
            AssertEqual(expected, planes, 1.0, border: side < 64 ? 2 : 1);
        }
    }

    [Fact]
    public void ChannelsAreOrderedAndNormalised()
    {
        using var picture = Some.Flat(20, 20, 10, 20, 30);
        var input = new NetworkInput
        {
            Width = 8,
            Height = 8,
            Channels = ChannelOrder.Rgb,
            Mean = [1, 2, 3],
            Std = [2, 4, 8],
            Fit = FitMode.Stretch,
        };

        var planes = Place(picture, input);
        Assert.All(planes[..64], value => Assert.Equal((30 - 1) / 2f, value, 1e-5f));
        Assert.All(planes[64..128], value => Assert.Equal((20 - 2) / 4f, value, 1e-5f));
        Assert.All(planes[128..], value => Assert.Equal((10 - 3) / 8f, value, 1e-5f));
    }

    [Fact]
    public void PaddingIsNormalisedToo()
    {
        using var picture = Some.Flat(20, 10, 0, 0, 0);
        var input = new NetworkInput { Width = 16, Height = 16, Mean = [14, 0, 0], Std = [10, 1, 2], Pad = 114 };

        var planes = Place(picture, input);
        Assert.Equal((10f, 114f, 57f), (planes[0], planes[256], planes[512]));
        Assert.Equal((-1.4f, 0f, 0f), (planes[8 * 16], planes[256 + (8 * 16)], planes[512 + (8 * 16)]));
    }

    [Fact]
    public void GreyIsOpenCvsGrey()
    {
        using var picture = Some.Noise(101, 67, 4);
        using var resized = new Mat();
        Cv2.Resize(picture, resized, new Size(48, 40), 0, 0, InterpolationFlags.Linear);
        using var grey = new Mat();
        Cv2.CvtColor(resized, grey, ColorConversionCodes.BGR2GRAY);
        var input = new NetworkInput
        {
            Width = 48, Height = 40, Channels = ChannelOrder.Grey, Mean = [0], Std = [1], Fit = FitMode.Stretch,
        };

        var plane = Place(picture, input);
        for (var i = 0; i < plane.Length; i++)
        {
            Assert.InRange(plane[i] - grey.At<byte>(i / 48, i % 48), -1.5, 1.5);
        }
    }

    [Fact]
    public void PictureThatIsAViewIntoAnotherIsReadByItsOwnStep()
    {
        using var whole = Some.Noise(300, 200, 5);
        using var view = new Mat(whole, new Rect(37, 21, 120, 90));
        using var copy = view.Clone();
        var input = new NetworkInput { Width = 64, Height = 64 };

        Assert.Equal(Place(copy, input), Place(view, input));
    }

    [Fact]
    public void BicubicReductionCountsEveryPixel()
    {
        // Stripes one pixel wide, reduced four times: a sampler that skips pixels sees one colour only.
        using var picture = new Mat(64, 64, MatType.CV_8UC3, Scalar.Black);
        for (var x = 0; x < 64; x += 4)
        {
            using var column = new Mat(picture, new Rect(x, 0, 1, 64));
            column.SetTo(Scalar.All(200));
        }

        var input = new NetworkInput
        {
            Width = 16, Height = 16, Channels = ChannelOrder.Bgr, Std = Identity, Resample = ResampleMode.Bicubic,
        };
        var middle = Place(picture, input).AsSpan((8 * 16) + 4, 8).ToArray();
        Assert.All(middle, value => Assert.InRange(value, 40, 60));
    }

    [Fact]
    public void BicubicAtTheSameSizeChangesNothing()
    {
        using var picture = Some.Noise(40, 32, 6);
        var input = new NetworkInput
        {
            Width = 40, Height = 32, Channels = ChannelOrder.Bgr, Std = Identity, Resample = ResampleMode.Bicubic,
        };

        AssertEqual(picture, Place(picture, input), 0.001);
    }

    [Theory]
    [InlineData(float.NaN, 0, 10, 10)]
    [InlineData(0, 0, float.PositiveInfinity, 10)]
    [InlineData(5, 5, 5, 5)]
    [InlineData(-1e30f, -1e30f, 1e30f, 1e30f)]
    public void BoxThatIsNoBoxStillGivesNumbers(float x1, float y1, float x2, float y2)
    {
        using var picture = Some.Noise(40, 30, 7);
        var planes = new float[3 * 16 * 16];

        new Sampler(new NetworkInput { Width = 16, Height = 16 })
            .Crop(Pixels.Of(picture), new Box(x1, y1, x2, y2), 0.1, planes.AsSpan());
        Assert.All(planes, value => Assert.InRange(value, 0, 1));
    }

    [Fact]
    public void OtherPicturesThanEightBitBgrAreRefused()
    {
        using var grey = new Mat(10, 10, MatType.CV_8UC1);
        using var empty = new Mat();

        Assert.Throws<ArgumentException>(() => Place(grey, new NetworkInput { Width = 16, Height = 16 }));
        Assert.Throws<ArgumentException>(() => Pixels.Of(empty));
    }

    [Theory]
    [InlineData(ResampleMode.Bilinear)]
    [InlineData(ResampleMode.Bicubic)]
    public void SamplingAllocatesNothing(ResampleMode resample)
    {
        using var picture = Some.Noise(320, 240, 8);
        var input = new NetworkInput { Width = 64, Height = 64, Resample = resample };
        var sampler = new Sampler(input);
        var placement = Placement.Of(320, 240, input);
        var planes = new float[3 * 64 * 64];

        Assert.Equal(0, Allocation.PerCall(() =>
        {
            var pixels = Pixels.Of(picture);
            sampler.Place(pixels, placement, planes.AsSpan());
            sampler.Crop(pixels, new Box(10.5f, 20, 90, 71), 0.1, planes.AsSpan());
            sampler.Crop(pixels, new Box(200, 120, 330, 250), 0.1, planes.AsSpan());
        }));
    }

    private static float[] Place(Mat picture, NetworkInput input)
    {
        var planes = new float[(input.Channels is ChannelOrder.Grey ? 1 : 3) * input.Width * input.Height];
        var sampler = new Sampler(input);
        sampler.Pad(planes.AsSpan());
        sampler.Place(Pixels.Of(picture), Placement.Of(picture.Width, picture.Height, input), planes.AsSpan());
        return planes;
    }

    /// <param name="expected">8-bit BGR.</param>
    /// <param name="planes">Blue, green, red.</param>
    /// <param name="levels">Largest difference.</param>
    /// <param name="border">
    /// Pixels not compared: OpenCV repeats the crop's edge where the sampler sees the picture.
    /// </param>
    private static void AssertEqual(Mat expected, float[] planes, double levels, int border = 0)
    {
        var (width, height) = (expected.Width, expected.Height);
        Assert.Equal(3 * width * height, planes.Length);
        for (var y = border; y < height - border; y++)
        {
            for (var x = border; x < width - border; x++)
            {
                var pixel = expected.At<Vec3b>(y, x);
                for (var channel = 0; channel < 3; channel++)
                {
                    var difference = planes[(channel * width * height) + (y * width) + x] - pixel[channel];
                    Assert.True(Math.Abs(difference) <= levels, $"({x}, {y}) channel {channel}: {difference}");
                }
            }
        }
    }
}
