using EdgeInspector.Telemetry;

namespace EdgeInspector.Station;

/// <summary>
/// Every transition a station can make, after OPC 40100-1 (8.2 and 8.3). Reset leads to Preoperational from everywhere, as
/// it does there, and from there only a start by name leads into a run: a reset never restarts the line. Pure.
/// </summary>
internal static class StationStateTable
{
    private static readonly (StationState From, StationEvent Event, StationState To)[] Transitions =
    [
        (StationState.Preoperational, StationEvent.StartupDone, StationState.Initialized),
        (StationState.Preoperational, StationEvent.Fault, StationState.Error),
        (StationState.Preoperational, StationEvent.Halt, StationState.Halted),
        (StationState.Preoperational, StationEvent.Reset, StationState.Preoperational),
        (StationState.Halted, StationEvent.Reset, StationState.Preoperational),
        (StationState.Error, StationEvent.Fault, StationState.Error),
        (StationState.Error, StationEvent.Halt, StationState.Halted),
        (StationState.Error, StationEvent.Reset, StationState.Preoperational),
        (StationState.Initialized, StationEvent.SelectRecipe, StationState.Ready),
        (StationState.Initialized, StationEvent.Fault, StationState.Error),
        (StationState.Initialized, StationEvent.Halt, StationState.Halted),
        (StationState.Initialized, StationEvent.Reset, StationState.Preoperational),
        (StationState.Ready, StationEvent.SelectRecipe, StationState.Ready),
        (StationState.Ready, StationEvent.DropRecipe, StationState.Initialized),
        (StationState.Ready, StationEvent.StartSingle, StationState.SingleExecution),
        (StationState.Ready, StationEvent.StartContinuous, StationState.ContinuousExecution),
        (StationState.Ready, StationEvent.Fault, StationState.Error),
        (StationState.Ready, StationEvent.Halt, StationState.Halted),
        (StationState.Ready, StationEvent.Reset, StationState.Preoperational),
        (StationState.SingleExecution, StationEvent.JobDone, StationState.Ready),
        (StationState.SingleExecution, StationEvent.Stop, StationState.Ready),
        (StationState.SingleExecution, StationEvent.Abort, StationState.Ready),
        (StationState.SingleExecution, StationEvent.Fault, StationState.Error),
        (StationState.SingleExecution, StationEvent.Halt, StationState.Halted),
        (StationState.SingleExecution, StationEvent.Reset, StationState.Preoperational),
        (StationState.ContinuousExecution, StationEvent.JobDone, StationState.Ready),
        (StationState.ContinuousExecution, StationEvent.Stop, StationState.Ready),
        (StationState.ContinuousExecution, StationEvent.Abort, StationState.Ready),
        (StationState.ContinuousExecution, StationEvent.Fault, StationState.Error),
        (StationState.ContinuousExecution, StationEvent.Halt, StationState.Halted),
        (StationState.ContinuousExecution, StationEvent.Reset, StationState.Preoperational),
    ];

    /// <summary>Where an event leads; false, with one line that says why, when it leads nowhere.</summary>
    public static bool TryMove(StationState state, StationEvent happened, out StationState next, out string? refusal)
    {
        foreach (var (from, on, to) in Transitions)
        {
            if (from == state && on == happened)
            {
                (next, refusal) = (to, null);
                return true;
            }
        }

        next = state;
        var possible = Transitions.Where(row => row.From == state).Select(row => row.Event);
        refusal = $"{happened} is not possible in {state}; possible are {string.Join(", ", possible)}";
        return false;
    }

    /// <summary>Whether parts are inspected in it.</summary>
    public static bool IsExecuting(StationState state) =>
        state is StationState.SingleExecution or StationState.ContinuousExecution;

    /// <summary>Whether it is one of the states within Operational.</summary>
    public static bool IsOperational(StationState state) =>
        IsExecuting(state) || state is StationState.Initialized or StationState.Ready;
}
