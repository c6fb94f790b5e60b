using System.Reflection;
using System.Runtime.CompilerServices;
using EdgeInspector.Line;
using Xunit;

namespace EdgeInspector.Tests.Conventions;

/// <summary>Who may know whom. Data flows one way because no room can reach into another.</summary>
public sealed class RoomTests
{
    private static readonly Assembly Service = typeof(Verdict).Assembly;

    // What every room may know: the line's vocabulary, pictures and verdicts, the instruments.
    private static readonly string[] KnownToAll = ["Line", "Vision", "Telemetry", "Timing"];

    // Those that join the rooms: the verbs and the host that wires a station.
    private static readonly string[] Joiners = ["Cli", "Hosting"];

    private static readonly (string From, string To)[] Shortcuts =
    [
        // A new model is put into the inspection's slot.
        ("Models", "Inspection"),
        // The virtual line is one more camera and one more set of sensors.
        ("Capture", "Simulation"),
        ("Station", "Simulation"),
    ];

    [Fact]
    public void RoomsKnowTheVocabularyAndNotEachOther()
    {
        var arrows =
            from type in Service.GetTypes()
            let room = RoomOf(type)
            where room is not null && !Joiners.Contains(room)
            from used in TypeUse.Of(type)
            let other = RoomOf(used)
            where
                other is not null
                && other != room
                && !KnownToAll.Contains(other)
                && !Shortcuts.Contains((room, other))
                // One file holds the settings of all rooms, so their shapes are gathered in one place.
                && !(room == "Configuration" && Outermost(used).Name.EndsWith("Options", StringComparison.Ordinal))
            select $"{room} -> {other}: {Outermost(type).FullName} uses {Outermost(used).FullName}";

        Offenders.None(arrows.Distinct().Order());
    }

    [Fact]
    public void TheArrowsAreSeenInMethodBodiesToo() =>
        Assert.Contains(typeof(Offenders), TypeUse.Of(typeof(RoomTests)));

    [Fact]
    public void TheVirtualLineKnowsNothingOfTheService() => Offenders.None(OurReferences("EdgeInspector.Simulation"));

    [Fact]
    public void VisionKnowsNothingOfTheService() => Offenders.None(OurReferences("EdgeInspector.Vision"));

    [Fact]
    public void RoomsAreTheOnesThatTheArchitectureNames()
    {
        string[] planned =
        [
            "Line",
            "Timing",
            "Capture",
            "Inspection",
            "Reject",
            "Station",
            "Ledger",
            "Samples",
            "Publishing",
            "Control",
            "Models",
            "Quality",
            "Web",
            "Telemetry",
            "Configuration",
            "Hosting",
            "Cli",
        ];
        var found = Service.GetTypes().Select(RoomOf).OfType<string>().Distinct();

        Offenders.None(found.Except(planned));
    }

    private static IEnumerable<string> OurReferences(string assembly) =>
        Assembly
            .Load(assembly)
            .GetReferencedAssemblies()
            .Select(reference => reference.Name!)
            .Where(name =>
                name == Service.GetName().Name || name.StartsWith("EdgeInspector", StringComparison.Ordinal)
            );

    // The second word of the namespace: EdgeInspector.Reject is Reject, EdgeInspector.Vision.Decoding is Vision. Null for
    // what is not ours, for Program, and for what the compiler adds.
    private static string? RoomOf(Type type)
    {
        var outermost = Outermost(type);
        return
            outermost.Namespace?.Split('.') is ["EdgeInspector", var room, ..]
            && !outermost.IsDefined(typeof(CompilerGeneratedAttribute))
            ? room
            : null;
    }

    private static Type Outermost(Type type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        return type;
    }
}
