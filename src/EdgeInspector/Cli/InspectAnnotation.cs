using EdgeInspector.Inspection;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Cli;

/// <summary>Draws what was found into a picture. Colour helps; the words alone say everything.</summary>
internal static class InspectAnnotation
{
    private static readonly Scalar Green = new(60, 160, 0);
    private static readonly Scalar Red = new(40, 40, 220);
    private static readonly Scalar Blue = new(190, 110, 20);
    private static readonly Scalar White = new(255, 255, 255);

    /// <summary>Draws one part: its box, and a sentence on a plate of the box's colour.</summary>
    /// <param name="picture">8-bit BGR; drawn into.</param>
    /// <param name="box">Picture pixels.</param>
    /// <param name="verdict">"pass", "reject", "unsure" or null.</param>
    /// <param name="text">What stands on the plate; Latin letters, digits and punctuation.</param>
    public static void Draw(Mat picture, Box box, string? verdict, string text)
    {
        var size = Math.Max(picture.Width, picture.Height);
        var thickness = Math.Max(1, size / 400);
        var scale = Math.Max(0.35, size / 1400.0);
        var colour = verdict switch
        {
            "pass" => Green,
            null => Blue,
            _ => Red,
        };
        var corner = new Point((int)box.X1, (int)box.Y1);
        Cv2.Rectangle(picture, corner, new Point((int)box.X2, (int)box.Y2), colour, thickness, LineTypes.AntiAlias);

        var letters = Cv2.GetTextSize(text, HersheyFonts.HersheySimplex, scale, thickness, out var below);
        var (width, height) = (letters.Width + (2 * thickness), letters.Height + below + (2 * thickness));

        // Above the box where there is room, otherwise inside it; never outside the picture.
        var x = Math.Clamp(corner.X, 0, Math.Max(0, picture.Width - width));
        var y = corner.Y >= height ? corner.Y - height : Math.Clamp(corner.Y, 0, Math.Max(0, picture.Height - height));
        Cv2.Rectangle(picture, new Rect(x, y, width, height), colour, -1);
        Cv2.PutText(
            picture,
            text,
            new Point(x + thickness, y + letters.Height + thickness),
            HersheyFonts.HersheySimplex,
            scale,
            White,
            thickness,
            LineTypes.AntiAlias);
    }

    /// <summary>Draws the line at which a video's parts are counted.</summary>
    public static void Gate(Mat picture, BeltDirection direction, double share)
    {
        var (x, y) = (picture.Width * share, picture.Height * share);
        var (from, to) = direction switch
        {
            BeltDirection.Right => (new Point(x, 0), new Point(x, picture.Height)),
            BeltDirection.Left => (new Point(picture.Width - x, 0), new Point(picture.Width - x, picture.Height)),
            BeltDirection.Down => (new Point(0, y), new Point(picture.Width, y)),
            _ => (new Point(0, picture.Height - y), new Point(picture.Width, picture.Height - y)),
        };
        Cv2.Line(picture, from, to, White, 1);
    }

    /// <summary>One line over everything in the upper left corner.</summary>
    public static void Title(Mat picture, string text) => Draw(picture, new Box(0, 0, 1, 1), null, text);
}
