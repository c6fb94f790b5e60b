using EdgeInspector.Line;

namespace EdgeInspector.Web;

/// <summary>What the endpoints reach of the rest of the service. What is left out is not there.</summary>
internal sealed record WebServices
{
    /// <summary>Takes a command.</summary>
    public TakeCommand? TakeCommand { get; init; }

    /// <summary>Counts and books a command that did not get as far: the arrival, its id where known, reason and text.</summary>
    public Func<CommandArrival, string, string, string, CommandReply>? RefuseCommand { get; init; }

    /// <summary>What of the process does not turn, in one line each: what a restart might help.</summary>
    public Func<IReadOnlyList<string>> Unresponsive { get; init; } = () => [];

    /// <summary>The path of a diagnostic bundle by its name; null when there is none.</summary>
    public Func<string, string?> FindBundle { get; init; } = _ => null;

    /// <summary>The audit log's last entry, number and hash.</summary>
    public Func<string>? AuditHead { get; init; }

    /// <summary>Folder of the model package that sent pictures are inspected with.</summary>
    public string? ModelPackage { get; init; }
}
