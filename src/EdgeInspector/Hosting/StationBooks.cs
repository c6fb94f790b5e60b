using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Hosting;

/// <summary>Where a station's records go. None of it may wait.</summary>
internal sealed record StationBooks
{
    /// <summary>Each part's record, when it has come to its end; on the book keeping task.</summary>
    public required Action<PartRecord> Ended { get; init; }

    /// <summary>Each evidence picture, on the evidence thread. Null takes none.</summary>
    public Action<EvidencePicture>? Pictured { get; init; }

    /// <summary>Each change of an alarm, on the thread that caused it.</summary>
    public Action<AlarmRecord> AlarmChanged { get; init; } = _ => { };

    /// <summary>Each challenge test, at its start and at its end.</summary>
    public Action<ChallengeRecord> Challenged { get; init; } = _ => { };

    /// <summary>What earlier runs left to be tested; null when nothing is known.</summary>
    public ChallengeHistory? Challenges { get; init; }

    /// <summary>Alarms that stood when the last run ended.</summary>
    public IReadOnlyList<AlarmRecord> Alarms { get; init; } = [];

    /// <summary>Whether somebody paused the station before the last run ended: then it does not arm by itself.</summary>
    public bool IsPaused { get; init; }

    /// <summary>A changeover put this recipe in force.</summary>
    public Action<string> RecipeChanged { get; init; } = _ => { };

    /// <summary>The ledger's sign of life; null when no ledger is kept.</summary>
    public Liveness? Ledger { get; init; }
}
