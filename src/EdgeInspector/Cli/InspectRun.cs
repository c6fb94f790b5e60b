using System.Globalization;
using EdgeInspector.Capture;
using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Cli;

/// <summary>
/// Inspects pictures and videos one after the other with one model package. Owns its scratch memory; the package stays
/// the caller's.
/// </summary>
/// <param name="package">The model.</param>
/// <param name="direction">Which way parts move in videos; only along which axis matters.</param>
/// <param name="gate">
/// Where along the belt's way through the picture a video's parts are counted, 0 to 1: a part counts when its centre
/// crosses, so that neither what lies behind the gate at the beginning nor what lies before it at the end does.
/// </param>
/// <param name="folder">Where annotated copies go; null makes none.</param>
internal sealed class InspectRun(ModelPackage package, BeltDirection direction, double gate, string? folder) : IDisposable
{
    private readonly Mat _picture = new();
    private readonly Detection[] _detections = new Detection[1024];
    private readonly Box[] _boxes = new Box[1024];
    private readonly Classification[] _classifications = new Classification[1024];

    /// <summary>Inspects one picture.</summary>
    /// <exception cref="SettingException">It cannot be read.</exception>
    public InspectedPicture Picture(InspectInput input)
    {
        if (!PictureFile.TryRead(input.Path, _picture, out var fault))
        {
            throw new SettingException(fault!);
        }

        var count = package.Detector.Detect(_picture, _detections);
        Classify(count);
        var parts = new FoundPart[count];
        for (var i = 0; i < count; i++)
        {
            parts[i] = Part(_detections[i], _classifications[i]);
        }

        if (folder is not null)
        {
            for (var i = count - 1; i >= 0; i--)
            {
                InspectAnnotation.Draw(_picture, _detections[i].Box, parts[i].Verdict, Plate(parts[i]));
            }

            WritePicture(OutputPath(input.Name, PictureExtension(input.Name)));
        }

        return new InspectedPicture(input.Path, _picture.Width, _picture.Height, parts);
    }

    /// <summary>Inspects one video and counts its parts.</summary>
    /// <param name="input">The file.</param>
    /// <param name="progress">Told pictures done, and how many there are.</param>
    /// <param name="cancellationToken">Looked at before each picture.</param>
    /// <exception cref="CameraException">It is no whole video.</exception>
    /// <exception cref="SettingException">It ends early, or the package finds no parts by itself.</exception>
    public InspectedVideo Video(InspectInput input, Action<int, int>? progress, CancellationToken cancellationToken)
    {
        if (package.Manifest.Detector is null)
        {
            throw new SettingException(
                $"{package.Folder}: has no detector to count parts with; inspect pictures, or add one.");
        }

        using var video = new VideoFile(input.Path, TimeProvider.System, loop: false);
        var tracker = new PartTracker(video.Width, video.Height, direction, _detections.Length);
        var travel = new TravelEstimator(tracker, _detections.Length);
        var book = new PartsInVideo(tracker.ViewLength * gate);
        using var writer = folder is null ? null : new AnnotatedVideo(OutputPath(input.Name, ".mp4"), video);
        var frames = 0;
        ReadOutcome outcome;
        while ((outcome = video.Read(_picture, out _)) is ReadOutcome.Frame)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = package.Detector.Detect(_picture, _detections);
            var found = _detections.AsSpan(0, count);
            tracker.Update(found, travel.Update(found), frames);
            ClassifyTracked(tracker);
            book.See(tracker.Tracks, found, frames);
            if (writer is not null)
            {
                Annotate(tracker, book);
                writer.Write(_picture);
            }

            Retire(tracker, book, everything: false);
            frames++;
            progress?.Invoke(frames, Math.Max(frames, video.FrameCount));
        }

        if (outcome == ReadOutcome.Failed)
        {
            throw new SettingException(video.Fault!);
        }

        Retire(tracker, book, everything: true);
        return new InspectedVideo(
            input.Path, video.Width, video.Height, frames, video.FramesPerSecond, book.Counted, book.NotCounted);
    }

    /// <inheritdoc/>
    public void Dispose() => _picture.Dispose();

    private void Classify(int count)
    {
        if (package.Classifier is null || count == 0)
        {
            return;
        }

        for (var i = 0; i < count; i++)
        {
            _boxes[i] = _detections[i].Box;
        }

        package.Classifier.Classify(_picture, _boxes.AsSpan(0, count), _classifications);
    }

    /// <summary>Every whole view of every part; there is no belt to keep up with.</summary>
    private void ClassifyTracked(PartTracker tracker)
    {
        if (package.Classifier is null)
        {
            return;
        }

        var views = 0;
        foreach (ref readonly var track in tracker.Tracks)
        {
            if (track.Detection >= 0)
            {
                _boxes[views++] = _detections[track.Detection].Box;
            }
        }

        if (views == 0)
        {
            return;
        }

        package.Classifier.Classify(_picture, _boxes.AsSpan(0, views), _classifications);
        views = 0;
        foreach (ref var track in tracker.Tracks)
        {
            if (track.Detection < 0)
            {
                continue;
            }

            var classification = _classifications[views++];
            if (classification.IsUnsure)
            {
                track.ScoreMissing = true;
                continue;
            }

            track.Views++;
            track.ScoreSum += classification.DefectScore;
            if (track.Label < 0 || classification.DefectScore > track.ScoreMax)
            {
                (track.ScoreMax, track.Label) = (classification.DefectScore, classification.Label);
            }
        }
    }

    private void Retire(PartTracker tracker, PartsInVideo book, bool everything)
    {
        for (var i = tracker.Tracks.Length - 1; i >= 0; i--)
        {
            ref readonly var track = ref tracker.Tracks[i];
            if (everything || tracker.IsGone(track))
            {
                var (label, score, verdict) = Judge(Consensus(track));
                book.End(track, package.Detector.Labels, label, score, verdict);
                tracker.RemoveAt(i);
            }
        }
    }

    private static Classification Consensus(in Track track) => track.Views == 0
        ? Classification.Unsure
        : new Classification(track.Label, 1, (float)(track.ScoreSum / track.Views));

    private FoundPart Part(Detection detection, Classification classification)
    {
        var (label, score, verdict) = Judge(classification);
        var box = detection.Box;
        return new FoundPart(
            [box.X1, box.Y1, box.X2, box.Y2],
            package.Detector.Labels[detection.Label],
            detection.Score,
            label,
            score,
            verdict);
    }

    private (string? Label, float? DefectScore, string? Verdict) Judge(Classification classification)
    {
        if (package.Classifier is not { } classifier)
        {
            return (null, null, null);
        }

        return classification.IsUnsure
            ? (null, null, "unsure")
            : (classifier.Labels[classification.Label],
                classification.DefectScore,
                package.IsDefect(classification) ? "reject" : "pass");
    }

    private void Annotate(PartTracker tracker, PartsInVideo book)
    {
        foreach (ref readonly var track in tracker.Tracks)
        {
            if (track.Detection >= 0)
            {
                var part = Part(_detections[track.Detection], Consensus(track));
                var number = book.NumberOf(track.Id) is { } counted
                    ? string.Create(CultureInfo.InvariantCulture, $"#{counted} ")
                    : "";
                InspectAnnotation.Draw(_picture, _detections[track.Detection].Box, part.Verdict, number + Plate(part));
            }
        }

        InspectAnnotation.Gate(_picture, direction, gate);
        InspectAnnotation.Title(_picture, string.Create(CultureInfo.InvariantCulture, $"{book.Crossed} parts"));
    }

    private static string Plate(FoundPart part) => part.Verdict switch
    {
        null => string.Create(CultureInfo.InvariantCulture, $"{part.Detected} {part.Score:F2}"),
        "unsure" => "UNSURE",
        "pass" => string.Create(CultureInfo.InvariantCulture, $"PASS {part.Label} {part.DefectScore:F2}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"REJECT {part.Label} {part.DefectScore:F2}"),
    };

    private static string PictureExtension(string name) =>
        Path.GetExtension(name).ToUpperInvariant() is ".JPG" or ".JPEG" ? Path.GetExtension(name) : ".png";

    private string OutputPath(string name, string extension)
    {
        var path = Path.Combine(folder!, Path.ChangeExtension(name, extension));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private void WritePicture(string path)
    {
        if (!Cv2.ImWrite(path, _picture))
        {
            throw new IOException($"{path}: could not be written");
        }
    }

    /// <summary>MPEG-4 in MP4, which this OpenCV build can write and nearly every player shows.</summary>
    private sealed class AnnotatedVideo : IDisposable
    {
        private readonly VideoWriter _writer;

        public AnnotatedVideo(string path, VideoFile like)
        {
            var size = new Size(like.Width, like.Height);
            _writer = new VideoWriter(
                path, VideoCaptureAPIs.FFMPEG, VideoWriter.FourCC('m', 'p', '4', 'v'), like.FramesPerSecond, size);
            if (!_writer.IsOpened())
            {
                _writer.Dispose();
                throw new IOException($"{path}: this OpenCV build cannot write MP4");
            }
        }

        public void Write(Mat picture) => _writer.Write(picture);

        public void Dispose() => _writer.Dispose();
    }
}
