namespace EdgeInspector.Control;

/// <summary>The reasons in replies, one word each. They are counted, published and matched by programs: never change one.</summary>
internal static class RefusalCode
{
    /// <summary>Done.</summary>
    public const string Done = "done";

    /// <summary>There is no such verb.</summary>
    public const string UnknownVerb = "unknown-verb";

    /// <summary>There is no such station.</summary>
    public const string UnknownStation = "unknown-station";

    /// <summary>The payload is larger than any command.</summary>
    public const string TooLarge = "too-large";

    /// <summary>The payload is not the JSON of a command.</summary>
    public const string Malformed = "malformed";

    /// <summary>A value is out of its range, or an argument is missing or does not belong.</summary>
    public const string Invalid = "invalid";

    /// <summary>Nobody who is known.</summary>
    public const string Anonymous = "anonymous";

    /// <summary>Known, and may not.</summary>
    public const string Role = "role";

    /// <summary>Commands are not taken this way.</summary>
    public const string Closed = "closed";

    /// <summary>Its time is over.</summary>
    public const string Expired = "expired";

    /// <summary>Its expiry is further off than allowed.</summary>
    public const string TooFar = "too-far";

    /// <summary>The id was used for something else.</summary>
    public const string IdReused = "id-reused";

    /// <summary>Answered as it was the first time, and not done again.</summary>
    public const string Repeated = "repeated";

    /// <summary>It was begun before the service stopped, and nobody knows how far it came.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>Too many at once.</summary>
    public const string Busy = "busy";

    /// <summary>The audit log cannot be written.</summary>
    public const string Audit = "audit";

    /// <summary>The station's state does not allow it now; the text says what does.</summary>
    public const string State = "state";

    /// <summary>Not within the limits that the settings give.</summary>
    public const string Limit = "limit";

    /// <summary>What it is about is not there.</summary>
    public const string NotFound = "not-found";

    /// <summary>Only while the maintenance key is turned.</summary>
    public const string Maintenance = "maintenance";

    /// <summary>Something broke that nobody foresaw.</summary>
    public const string Fault = "fault";

    /// <summary>Every one.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        Done, UnknownVerb, UnknownStation, TooLarge, Malformed, Invalid, Anonymous, Role, Closed, Expired, TooFar, IdReused,
        Repeated, Interrupted, Busy, Audit, State, Limit, NotFound, Maintenance, Fault,
    ];
}
