using EdgeInspector.Line;

namespace EdgeInspector.Web;

/// <summary>
/// The last <see cref="Capacity"/> pictures of parts that were not passed, for the page. Thread-safe; written by the
/// evidence worker, read by requests.
/// </summary>
internal sealed class RecentPictures
{
    /// <summary>Two screens of twelve. About 200 KB each, so 5 MB at most.</summary>
    public const int Capacity = 24;

    private readonly Lock _lock = new();
    private readonly LinkedList<EvidencePicture> _pictures = new();

    /// <summary>Adds a picture; those of passed parts are not shown and not kept.</summary>
    public void Offer(EvidencePicture picture)
    {
        if (picture.Verdict == Verdict.Pass)
        {
            return;
        }

        lock (_lock)
        {
            _pictures.AddFirst(picture);
            if (_pictures.Count > Capacity)
            {
                _pictures.RemoveLast();
            }
        }
    }

    /// <summary>The pictures, newest first.</summary>
    public IReadOnlyList<EvidencePicture> Newest()
    {
        lock (_lock)
        {
            return [.. _pictures];
        }
    }

    /// <summary>The picture of one part, or null when it is no longer here.</summary>
    public EvidencePicture? Find(string station, long number)
    {
        lock (_lock)
        {
            return _pictures.FirstOrDefault(picture => picture.Number == number && picture.Station == station);
        }
    }
}
