using EdgeInspector.Vision;

namespace EdgeInspector.Inspection;

/// <summary>Which way the belt moves in the picture.</summary>
internal enum BeltDirection
{
    /// <summary>Left to right.</summary>
    Right,

    /// <summary>Right to left.</summary>
    Left,

    /// <summary>Top to bottom.</summary>
    Down,

    /// <summary>Bottom to top.</summary>
    Up,
}

/// <summary>
/// One part as the tracker knows it. Positions are pixels along the belt's direction; <see cref="Offset"/> is fixed to the
/// belt, so a part that does not slide keeps it from frame to frame.
/// </summary>
internal struct Track
{
    /// <summary>Counts up from 1 in order of first sight.</summary>
    public long Id;

    /// <summary>Travel minus position of the part's centre, px.</summary>
    public double Offset;

    /// <summary>Centre across the belt, px from the picture's first row or column.</summary>
    public double Across;

    /// <summary>Extent along the belt, px.</summary>
    public double Length;

    /// <summary>Extent across the belt, px.</summary>
    public double Width;

    /// <summary>Frames in which it was seen whole.</summary>
    public int Sightings;

    /// <summary>Sequence of the first and last frame that showed it whole.</summary>
    public long FirstFrame;

    /// <summary>Sequence of the last frame that showed it whole.</summary>
    public long LastFrame;

    /// <summary>Position of the part's centre along the belt in the newest frame, px.</summary>
    public double Position;

    /// <summary>Index of its detection in the newest frame, or -1.</summary>
    public int Detection;

    /// <summary>Classified views so far.</summary>
    public int Views;

    /// <summary>Sum of their defect scores.</summary>
    public double ScoreSum;

    /// <summary>Highest of them.</summary>
    public double ScoreMax;

    /// <summary>Whether a view came back without a number.</summary>
    public bool ScoreMissing;

    /// <summary>Travel at the last classified view, px.</summary>
    public double LastViewTravel;

    /// <summary>Label of the view with the highest defect score.</summary>
    public int Label;

    /// <summary>Number it was decided under; 0 before.</summary>
    public long PartId;

    /// <summary>Offset that the reject schedule knows, px.</summary>
    public double ToldOffset;

    /// <summary>Whether the part has been decided; it stays tracked until it leaves, so that it is not decided twice.</summary>
    public bool Decided;
}

/// <summary>
/// Follows parts from frame to frame by their place on the belt: with the belt's travel known, a part stands still in belt
/// coordinates and matching is a nearest-neighbour question. Parts cut by the edge of the picture are passed over: their
/// centre is unknown. Called by one thread; allocates nothing after construction.
/// </summary>
internal sealed class PartTracker
{
    /// <summary>
    /// A box this close to the picture's edge, as a share of the view's length, may be cut by it: a detector that sees the
    /// picture at a quarter of its size places the end of a part that goes on beyond the edge several pixels inside it.
    /// </summary>
    private const double EdgeMargin = 0.03;

    /// <summary>How far a part may slide or a box may wobble between two sightings, as a share of the part's own extent.</summary>
    private const double Gate = 0.45;

    /// <summary>How long parts out of view are remembered, in lengths of the view.</summary>
    public const double Memory = 2;

    private readonly Track[] _tracks;
    private readonly BeltDirection _direction;
    private readonly int _width;
    private readonly int _height;
    private readonly double _edge;
    private int _count;
    private long _lastId;

    /// <summary>Makes a tracker for pictures of one size.</summary>
    /// <param name="width">Picture width, px.</param>
    /// <param name="height">Picture height, px.</param>
    /// <param name="direction">Which way the belt moves.</param>
    /// <param name="capacity">Most parts in view at once; more are not followed and <see cref="Overflowed"/> counts them.</param>
    public PartTracker(int width, int height, BeltDirection direction, int capacity = 128)
    {
        _width = width;
        _height = height;
        _direction = direction;
        _tracks = new Track[capacity];
        _edge = EdgeMargin * ViewLength;
    }

    /// <summary>Every part in view, decided or not. Valid until the next call.</summary>
    public Span<Track> Tracks => _tracks.AsSpan(0, _count);

    /// <summary>Detections that found no room.</summary>
    public long Overflowed { get; private set; }

    /// <summary>Extent of the picture along the belt, px.</summary>
    public int ViewLength => _direction is BeltDirection.Right or BeltDirection.Left ? _width : _height;

    /// <summary>Takes the detections of one frame.</summary>
    /// <param name="detections">In picture pixels.</param>
    /// <param name="travel">Belt travel when the frame was exposed, px, growing as the belt runs forward.</param>
    /// <param name="frame">The frame's sequence number.</param>
    public void Update(ReadOnlySpan<Detection> detections, double travel, long frame)
    {
        foreach (ref var track in Tracks)
        {
            track.Position = travel - track.Offset;
            track.Detection = -1;
        }

        for (var i = 0; i < detections.Length; i++)
        {
            var box = detections[i].Box;
            if (!IsWhole(box))
            {
                continue;
            }

            var (position, across, length, width) = Along(box);
            var index = Nearest(position, across, length, width);
            if (index < 0)
            {
                if (_count == _tracks.Length)
                {
                    Overflowed++;
                    continue;
                }

                index = _count++;
                _tracks[index] = new Track
                {
                    Id = ++_lastId,
                    Offset = travel - position,
                    Across = across,
                    Length = length,
                    Width = width,
                    FirstFrame = frame,
                    LastViewTravel = double.NegativeInfinity,
                    Label = -1,
                };
            }

            ref var found = ref _tracks[index];
            found.Sightings++;
            found.LastFrame = frame;
            found.Detection = i;
            found.Position = position;

            // The newest sightings weigh most, so a part that slides is followed; four frames halve a box's wobble.
            var weight = Math.Max(0.25, 1.0 / found.Sightings);
            found.Offset += weight * (travel - position - found.Offset);
            found.Across += weight * (across - found.Across);
            found.Length += weight * (length - found.Length);
            found.Width += weight * (width - found.Width);
        }
    }

    /// <summary>Whether a part can no longer be seen whole: its leading edge is past the end of the view.</summary>
    public bool HasLeft(in Track track) => track.Position + (track.Length / 2) > ViewLength - _edge;

    /// <summary>
    /// Whether a part is so far out of view that it can be forgotten. It is remembered for <see cref="Memory"/> views, so
    /// that a frame which comes late, and shows it once more, does not make a second part of it.
    /// </summary>
    public bool IsGone(in Track track) =>
        track.Position > (1 + Memory) * ViewLength || track.Position < -Memory * ViewLength;

    /// <summary>Adds a part that was decided without having been seen, so that a late frame finds it known.</summary>
    /// <param name="offset">Offset of its centre, px.</param>
    /// <param name="length">Extent along the belt, px.</param>
    public void AddDecided(double offset, double length)
    {
        if (_count < _tracks.Length)
        {
            var across = _direction is BeltDirection.Right or BeltDirection.Left ? _height : _width;
            _tracks[_count++] = new Track
            {
                Id = ++_lastId,
                Offset = offset,
                Across = across / 2.0,
                Length = length,
                Width = 2 * across, // Where across the belt is not known: anywhere.
                Detection = -1,
                Label = -1,
                Decided = true,
            };
        }
    }

    /// <summary>Forgets a part, by its index in <see cref="Tracks"/>; the last one takes its place.</summary>
    public void RemoveAt(int index) => _tracks[index] = _tracks[--_count];

    /// <summary>Whether a box shows the part whole, not cut by the picture's edge along the belt.</summary>
    public bool IsWhole(in Box box)
    {
        var (position, _, length, _) = Along(box);
        return position - (length / 2) > _edge && position + (length / 2) < ViewLength - _edge;
    }

    /// <summary>A box in belt directions: centre along, centre across, extent along, extent across; px.</summary>
    public (double Position, double Across, double Length, double Width) Along(in Box box) =>
        _direction switch
        {
            BeltDirection.Right => (box.CentreX, box.CentreY, box.Width, box.Height),
            BeltDirection.Left => (_width - box.CentreX, box.CentreY, box.Width, box.Height),
            BeltDirection.Down => (box.CentreY, box.CentreX, box.Height, box.Width),
            _ => (_height - box.CentreY, box.CentreX, box.Height, box.Width),
        };

    private int Nearest(double position, double across, double length, double width)
    {
        var best = -1;
        var bestDistance = double.MaxValue;
        for (var i = 0; i < _count; i++)
        {
            ref readonly var track = ref _tracks[i];
            if (track.Detection >= 0)
            {
                continue;
            }

            var along = Math.Abs(track.Position - position);
            var sideways = Math.Abs(track.Across - across);
            if (along > Gate * Math.Max(track.Length, length) || sideways > Gate * Math.Max(track.Width, width))
            {
                continue;
            }

            var distance = (along * along) + (sideways * sideways);
            if (distance < bestDistance)
            {
                bestDistance = distance;
                best = i;
            }
        }

        return best;
    }
}
