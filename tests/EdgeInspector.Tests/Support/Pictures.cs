using OpenCvSharp;

namespace EdgeInspector.Tests.Support;

/// <summary>Pictures and videos made for a test: small, and each told from the next by its shade.</summary>
internal static class Pictures
{
    public const int Width = 64;
    public const int Height = 48;

    /// <summary>A picture whose every pixel has the shade, but for one pixel of noise from the number.</summary>
    public static Mat Shade(int number)
    {
        var picture = new Mat(Height, Width, MatType.CV_8UC3, Scalar.All(number * 4 % 256));
        picture.Set(0, number % Width, new Vec3b(1, 2, 3));
        return picture;
    }

    public static byte[] Jpeg(int number)
    {
        using var picture = Shade(number);
        return picture.ToBytes(".jpg");
    }

    public static string Write(string path, int number)
    {
        using var picture = Shade(number);
        Cv2.ImWrite(path, picture);
        return path;
    }

    /// <summary>An AVI of Motion JPEG, which every OpenCV build writes by itself.</summary>
    public static string WriteVideo(string path, int frames, double rate)
    {
        using var writer = new VideoWriter(path, VideoCaptureAPIs.OPENCV_MJPEG, VideoWriter.FourCC('M', 'J', 'P', 'G'), rate, new Size(Width, Height));
        for (var i = 0; i < frames; i++)
        {
            using var picture = Shade(i);
            writer.Write(picture);
        }

        return path;
    }
}
