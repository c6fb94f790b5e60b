using System.Runtime.CompilerServices;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// How levels become a network's numbers: level × scale + bias for each of the picture's channels, or one grey of
/// the three first.
/// </summary>
internal readonly struct Tone
{
    // ITU-R BT.601, as in OpenCV's COLOR_BGR2GRAY.
    public const float GreyOfBlue = 0.114f;
    public const float GreyOfGreen = 0.587f;
    public const float GreyOfRed = 0.299f;

    public Tone(NetworkInput input)
    {
        IsGrey = input.Channels is ChannelOrder.Grey;
        var (blue, green, red) = input.Channels switch
        {
            ChannelOrder.Grey => (0, 0, 0),
            ChannelOrder.Bgr => (0, 1, 2),
            _ => (2, 1, 0),
        };
        (BlueScale, BlueBias) = Of(input, blue);
        (GreenScale, GreenBias) = Of(input, green);
        (RedScale, RedBias) = Of(input, red);
    }

    private Tone(in Tone tone, float factor)
    {
        this = tone;
        BlueScale *= factor;
        GreenScale *= factor;
        RedScale *= factor;
    }

    public bool IsGrey { get; }

    /// <summary>Of grey too.</summary>
    public float BlueScale { get; }

    public float GreenScale { get; }

    public float RedScale { get; }

    /// <summary>Of grey too.</summary>
    public float BlueBias { get; }

    public float GreenBias { get; }

    public float RedBias { get; }

    /// <summary>For sums of four levels instead of levels. A power of two changes no rounding.</summary>
    public Tone OfFour() => new(this, 0.25f);

    /// <summary>Writes one pixel. This order of operations is what every path keeps to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Write(float blue, float green, float red, in Planes to, int x)
    {
        if (IsGrey)
        {
            to.Blue[x] = (((blue * GreyOfBlue) + (green * GreyOfGreen) + (red * GreyOfRed)) * BlueScale) + BlueBias;
            return;
        }

        to.Blue[x] = (blue * BlueScale) + BlueBias;
        to.Green[x] = (green * GreenScale) + GreenBias;
        to.Red[x] = (red * RedScale) + RedBias;
    }

    private static (float Scale, float Bias) Of(NetworkInput input, int channel) =>
        (1 / input.Std[channel], -input.Mean[channel] / input.Std[channel]);
}

/// <summary>Where a row of numbers goes, by the picture's channels; grey goes where blue does.</summary>
internal readonly unsafe struct Planes(float* blue, float* green, float* red)
{
    public float* Blue { get; } = blue;

    public float* Green { get; } = green;

    public float* Red { get; } = red;

    public Planes At(int x) => new(Blue + x, Green + x, Red + x);
}
