using System.ComponentModel.DataAnnotations;
using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>
/// How one alarm behaves at a station, under its name: <c>Alarms:bin-full:StopLine</c>. What is left out is as
/// <see cref="AlarmKind"/> has it.
/// </summary>
internal sealed class AlarmOptions
{
    /// <summary>
    /// True: it stands until somebody acknowledges it. False: it goes with its cause. Null, the default: as its kind does.
    /// </summary>
    public bool? Latched { get; set; }

    /// <summary>
    /// True: line stop is requested and Healthy drops while it stands. False: the line goes on. Null, the default: as its
    /// kind does.
    /// </summary>
    public bool? StopLine { get; set; }

    /// <summary>What is wrong with a station's alarm settings: names that no alarm has. The keys name the alarms.</summary>
    public static IEnumerable<ValidationResult> Validate(IEnumerable<string> names) =>
        from name in names
        where AlarmKind.Find(name) is null
        select new ValidationResult(
            $"'{name}' is no alarm; known are {string.Join(", ", AlarmKind.All.Select(kind => kind.Name))}",
            [$"Alarms:{name}"]
        );
}
