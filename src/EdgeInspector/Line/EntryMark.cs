namespace EdgeInspector.Line;

/// <summary>
/// An edge of an entry eye, told to the reject thread: it has to know what is coming, so that it can act by the recipe when
/// the verdict does not come in time.
/// </summary>
/// <param name="Eye">Number of the eye.</param>
/// <param name="Lanes">The lanes it watches, one bit a lane.</param>
/// <param name="Blocked">Whether something begins here, or ends.</param>
/// <param name="Offset">Where on the belt, mm.</param>
internal readonly record struct EntryMark(byte Eye, byte Lanes, bool Blocked, double Offset);
