using System.Collections.Concurrent;
using EdgeInspector.Timing;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Web;

/// <summary>One part in a picture.</summary>
/// <param name="Box">Its place, pixels: left, top, right, bottom.</param>
/// <param name="Detected">What the detector calls it.</param>
/// <param name="Score">The detector's score, 0 to 1.</param>
/// <param name="Label">What the classifier calls it; null when it gave no number, or there is none.</param>
/// <param name="DefectScore">Its defect score; null likewise.</param>
/// <param name="Verdict">pass, reject or unsure; null without a classifier.</param>
internal sealed record InspectedPart(Box Box, string Detected, float Score, string? Label, float? DefectScore, string? Verdict);

/// <summary>What was found in a picture.</summary>
/// <param name="Model">The package's name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Width">Of the picture.</param>
/// <param name="Height">Of the picture.</param>
/// <param name="Parts">What lies in it.</param>
internal sealed record Inspected(string Model, string Version, int Width, int Height, IReadOnlyList<InspectedPart> Parts)
{
    /// <summary>The gravest of its parts: reject, unsure, pass; none when no part was found, null without a classifier.</summary>
    public string? Verdict =>
        Parts.Count == 0 ? "none"
        : Parts.Any(part => part.Verdict is null) ? null
        : Parts.Any(part => part.Verdict == "reject") ? "reject"
        : Parts.Any(part => part.Verdict == "unsure") ? "unsure"
        : "pass";
}

/// <summary>
/// Inspects pictures that somebody sends, beside the line and never in its way: a model package of its own, one thread that
/// gets the processor only while nobody else wants it (SCHED_IDLE), one picture at a time. The package is loaded when the
/// first picture comes.
/// </summary>
internal sealed class PictureInspector : IDisposable
{
    private const int MostParts = 256;

    private readonly string _package;
    private readonly BlockingCollection<Job> _jobs = new(boundedCapacity: 1);
    private readonly Thread _thread;
    private int _busy;

    /// <summary>Makes it; nothing is loaded yet.</summary>
    /// <param name="package">Folder of the model package.</param>
    public PictureInspector(string package)
    {
        _package = package;
        _thread = new Thread(Run) { Name = "inspect-aside", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Whether its thread yields to all others; false where the kernel refused, null before the first picture.</summary>
    public bool? Yields { get; private set; }

    /// <summary>Inspects a picture, or says at once that another is under way: null.</summary>
    /// <param name="picture">JPEG or PNG whose size was looked at; must stay as it is until the task ends.</param>
    /// <exception cref="InvalidDataException">It is no picture; one line.</exception>
    /// <exception cref="VisionException">The model package does not work; one line.</exception>
    public Task<Inspected>? TryInspect(byte[] picture)
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            return null;
        }

        var job = new Job(picture);
        if (!_jobs.TryAdd(job))
        {
            return null; // Being disposed, or as good as.
        }

        return job.Done.Task;
    }

    /// <summary>Ends the thread after the picture under way.</summary>
    public void Dispose()
    {
        _jobs.CompleteAdding();
        _thread.Join();
        _jobs.Dispose();
    }

    private void Run()
    {
        ModelPackage? package = null;
        using var mat = new Mat();
        foreach (var job in _jobs.GetConsumingEnumerable())
        {
            Inspected? inspected = null;
            Exception? fault = null;
            try
            {
                Yields ??= RealTime.TryYieldToAll();
                package ??= ModelPackage.Load(_package, new InferenceOptions { Provider = ProviderChoice.Cpu, Threads = 1 });
                inspected = Inspect(package, job.Picture);
            }
#pragma warning disable CA1031 // It goes to whoever sent the picture; the thread is for the next one.
            catch (Exception e)
#pragma warning restore CA1031
            {
                fault = e;
            }

            // Free before the answer: who is answered may ask again at once.
            Volatile.Write(ref _busy, 0);
            if (inspected is not null)
            {
                job.Done.SetResult(inspected);
            }
            else
            {
                job.Done.SetException(fault!);
            }
        }

        package?.Dispose();
    }

    private static Inspected Inspect(ModelPackage package, byte[] bytes)
    {
        using var picture = Decode(bytes);
        var detections = new Detection[MostParts];
        var count = package.Detector.Detect(picture, detections);
        var classifications = new Classification[count];
        if (package.Classifier is { } classifier && count > 0)
        {
            classifier.Classify(picture, Array.ConvertAll(detections[..count], detection => detection.Box), classifications);
        }

        return new Inspected(
            package.Name,
            package.Version,
            picture.Width,
            picture.Height,
            [.. Enumerable.Range(0, count).Select(i => Part(package, detections[i], classifications[i]))]
        );
    }

    private static InspectedPart Part(ModelPackage package, Detection detection, Classification classification)
    {
        var part = new InspectedPart(detection.Box, package.Detector.Labels[detection.Label], detection.Score, null, null, null);
        return package.Classifier is not { } classifier ? part
            : classification.IsUnsure ? part with { Verdict = "unsure" }
            : part with
            {
                Label = classifier.Labels[classification.Label],
                DefectScore = classification.DefectScore,
                Verdict = package.IsDefect(classification) ? "reject" : "pass",
            };
    }

    private static Mat Decode(byte[] bytes)
    {
        Mat picture;
        try
        {
            picture = Cv2.ImDecode(bytes, ImreadModes.Color);
        }
        catch (OpenCVException e)
        {
            throw new InvalidDataException($"the picture cannot be decoded: {e.Message.ReplaceLineEndings(" ")}", e);
        }

        if (picture.Empty())
        {
            picture.Dispose();
            throw new InvalidDataException("the picture cannot be decoded");
        }

        return picture;
    }

    private sealed class Job(byte[] picture)
    {
        public byte[] Picture { get; } = picture;

        public TaskCompletionSource<Inspected> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
