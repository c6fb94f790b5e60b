namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// Where a picture lies in a network's input: resized to <paramref name="Width"/> × <paramref name="Height"/> pixels
/// with its corner at (<paramref name="Left"/>, <paramref name="Top"/>). The factors are picture pixels per input
/// pixel.
/// </summary>
internal readonly record struct Placement(
    int Left, int Top, int Width, int Height, double FactorX, double FactorY)
{
    public static Placement Of(int pictureWidth, int pictureHeight, NetworkInput input)
    {
        var (width, height) = (input.Width, input.Height);
        if (input.Fit is not FitMode.Stretch)
        {
            var scale = Math.Min((double)input.Width / pictureWidth, (double)input.Height / pictureHeight);
            width = Math.Clamp((int)Math.Round(pictureWidth * scale), 1, input.Width);
            height = Math.Clamp((int)Math.Round(pictureHeight * scale), 1, input.Height);
        }

        var centred = input.Fit is FitMode.Letterbox;
        return new Placement(
            centred ? (input.Width - width) / 2 : 0,
            centred ? (input.Height - height) / 2 : 0,
            width,
            height,
            (double)pictureWidth / width,
            (double)pictureHeight / height);
    }

    /// <summary>A box in input pixels, in picture pixels.</summary>
    public Box ToPicture(Box box) => new(
        (float)((box.X1 - Left) * FactorX),
        (float)((box.Y1 - Top) * FactorY),
        (float)((box.X2 - Left) * FactorX),
        (float)((box.Y2 - Top) * FactorY));
}
