namespace EdgeInspector.Station;

/// <summary>What moves a station from one state to another; the methods and automatic transitions of OPC 40100-1.</summary>
internal enum StationEvent
{
    /// <summary>Camera, model and pins are open and the threads run.</summary>
    StartupDone,

    /// <summary>A recipe is in force (PrepareRecipe).</summary>
    SelectRecipe,

    /// <summary>No recipe is in force any more (UnprepareRecipe).</summary>
    DropRecipe,

    /// <summary>The operator lets one part be inspected.</summary>
    StartSingle,

    /// <summary>The operator lets the line run.</summary>
    StartContinuous,

    /// <summary>The one part has come to its end.</summary>
    JobDone,

    /// <summary>The operator, or an alarm, ends the run; parts under way come to their end.</summary>
    Stop,

    /// <summary>The run ends at once.</summary>
    Abort,

    /// <summary>Something failed that keeps the station from inspecting.</summary>
    Fault,

    /// <summary>Back to the beginning; never into a run.</summary>
    Reset,

    /// <summary>Stopped on purpose, for shutting down or for repair.</summary>
    Halt,
}
