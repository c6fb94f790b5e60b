namespace EdgeInspector.Telemetry;

/// <summary>What the stations of one service share, at one moment: for the instruments.</summary>
internal sealed record ServiceFigures
{
    /// <summary>Records that wait for the broker.</summary>
    public long RecordsWaiting { get; init; }

    /// <summary>Their payloads, bytes.</summary>
    public long RecordBytes { get; init; }

    /// <summary>Pictures that wait for the broker.</summary>
    public long PicturesWaiting { get; init; }

    /// <summary>Their payloads, bytes.</summary>
    public long PictureBytes { get; init; }

    /// <summary>Records and pictures given up since the start.</summary>
    public long Shed { get; init; }

    /// <summary>Inspection events the broker has acknowledged since the start.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Requests refused before anybody looked at them.</summary>
    public long RequestsRefused { get; init; }

    /// <summary>Parts offered to the ledger and not written yet.</summary>
    public long LedgerWaiting { get; init; }

    /// <summary>Ledger rows that could not be written since the start.</summary>
    public long LedgerLost { get; init; }
}
