using System.Net;
using System.Net.Http.Headers;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// Motion JPEG over HTTP, which nearly every network camera offers. Read here and not by OpenCV, whose packaged build
/// has FFmpeg without network.
/// </summary>
internal sealed class HttpCamera : ByteStreamCamera
{
    private readonly HttpClient _client;
    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly MjpegStream _pictures;

    private HttpCamera(
        CameraSource source,
        CameraOptions options,
        TimeProvider time,
        HttpClient client,
        HttpResponseMessage response)
        : base(source.Name, options, time)
    {
        _client = client;
        _response = response;
        _body = response.Content.ReadAsStream();
        _pictures = new MjpegStream(_body);
    }

    /// <summary>Connects; null when what answers is no Motion JPEG, and something else must decode it.</summary>
    /// <exception cref="CameraException">Nothing answers, or not with success.</exception>
    public static HttpCamera? TryOpen(CameraSource source, CameraOptions options, TimeProvider time)
    {
        var address = new Uri(source.Address);
        var client = MakeClient(address, options.ReadTimeout);
        HttpResponseMessage? response = null;
        HttpCamera? camera = null;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, WithoutUser(address));
            response = client.Send(request, HttpCompletionOption.ResponseHeadersRead);
            if (!response.IsSuccessStatusCode)
            {
                throw new CameraException(
                    source.Name, $"answers {(int)response.StatusCode} {response.ReasonPhrase}", "check address and user");
            }

            if (!IsMotionJpeg(response.Content.Headers.ContentType))
            {
                return null;
            }

            camera = new HttpCamera(source, options, time, client, response);
            camera.Begin(options);
            return camera;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            var what = error is OperationCanceledException
                ? $"does not answer within {options.ReadTimeout.TotalSeconds:0.#} s"
                : $"does not answer ({(error.InnerException ?? error).Message.TrimEnd('.')})";
            throw new CameraException(source.Name, what, "check address, user and network");
        }
        catch
        {
            camera?.Dispose();
            camera = null;
            throw;
        }
        finally
        {
            if (camera is null)
            {
                response?.Dispose();
                client.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    protected override bool ReadPicture(Mat destination)
    {
        while (true)
        {
            var jpeg = _pictures.Next();
            if (jpeg.IsEmpty)
            {
                return false;
            }

            using var picture = Cv2.ImDecode(jpeg.Span, ImreadModes.Color);
            if (!picture.Empty())
            {
                picture.CopyTo(destination);
                return true;
            }

            // A damaged picture on the wire: the next one is on its way.
        }
    }

    /// <inheritdoc/>
    protected override void CutOff() => _response.Dispose();

    /// <inheritdoc/>
    protected override void DisposeSource()
    {
        _body.Dispose();
        _client.Dispose();
    }

    private static HttpClient MakeClient(Uri address, TimeSpan timeout)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = timeout, UseProxy = false };
        if (address.UserInfo.Length > 0)
        {
            // Basic or Digest, whichever the camera asks for.
            var parts = address.UserInfo.Split(':', 2);
            handler.Credentials = new NetworkCredential(
                Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "");
        }

        return new HttpClient(handler) { Timeout = timeout };
    }

    private static Uri WithoutUser(Uri address) => new UriBuilder(address) { UserName = "", Password = "" }.Uri;

    private static bool IsMotionJpeg(MediaTypeHeaderValue? type) =>
        type?.MediaType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true;
}
