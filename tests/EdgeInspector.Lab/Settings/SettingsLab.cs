using EdgeInspector.Configuration;

namespace EdgeInspector.Lab.Settings;

/// <summary>Wrong station files are refused, with each fault named, all at once.</summary>
internal static class SettingsLab
{
    private static readonly (string Fault, string[] Settings, string[] Named)[] Wrong =
    [
        (
            "two outputs on one line",
            ["Stations:0:Reject:Ejectors:0:Pin=10", "Stations:0:Panel:Healthy:Pin=10"],
            ["line 10 is also used by"]
        ),
        ("a lane without a pin", ["Stations:0:Reject:Ejectors:0:ActiveHigh=true"], ["Reject:Ejectors:0:Pin"]),
        ("no ejector at all", [], ["needs at least one ejector"]),
        (
            "a dwell longer than the pitch",
            ["Stations:0:Reject:Ejectors:0:Pin=10", "Stations:0:Reject:Dwell=100ms"],
            ["Reject:Dwell", "longer than the pitch"]
        ),
        (
            "an ejector before the camera",
            ["Stations:0:Reject:Ejectors:0:Pin=10", "Stations:0:Reject:Position=100"],
            ["Reject:Position", "before the end of the picture"]
        ),
        (
            "three eyes for two lanes",
            [
                "Stations:0:Reject:Ejectors:0:Pin=10",
                "Stations:0:Reject:Ejectors:1:Pin=11",
                "Stations:0:Sensors:EntryEyes:0:Pin=20",
                "Stations:0:Sensors:EntryEyes:1:Pin=21",
                "Stations:0:Sensors:EntryEyes:2:Pin=22",
            ],
            ["3 eyes for 2 lanes"]
        ),
        (
            "an entry eye behind the camera",
            ["Stations:0:Reject:Ejectors:0:Pin=10", "Stations:0:Sensors:EntryEyes:0:Pin=20", "Stations:0:Sensors:EntryEyes:0:Position=200"],
            ["Sensors:EntryEyes:0:Position", "upstream"]
        ),
        (
            "a trigger without an eye, for a part to be seen three times",
            ["Stations:0:Reject:Ejectors:0:Pin=10", "Stations:0:Camera:Trigger:Distance=290"],
            ["Camera:Trigger:Eye", "Recipe:Views"]
        ),
        (
            "an alarm that is none",
            ["Stations:0:Reject:Ejectors:0:Pin=10", "Stations:0:Alarms:bin-fulll:StopLine=true"],
            ["bin-fulll"]
        ),
        (
            "four faults at once, each named",
            [
                "Stations:0:Reject:Ejectors:0:Pin=10",
                "Stations:0:Sensors:EntryEyes:0:Pin=10",
                "Stations:0:Reject:Dwell=100ms",
                "Stations:0:Reject:Position=100",
                "Stations:0:Belt:Spede=1",
            ],
            ["Spede"]
        ),
        (
            "three faults of one station, each named",
            [
                "Stations:0:Reject:Ejectors:0:Pin=10",
                "Stations:0:Sensors:EntryEyes:0:Pin=10",
                "Stations:0:Reject:Dwell=100ms",
                "Stations:0:Reject:Position=100",
            ],
            ["line 10 is also used by", "longer than the pitch", "before the end of the picture"]
        ),
    ];

    /// <summary>Loads each and counts those that were taken, or refused without naming the fault.</summary>
    public static IReadOnlyList<LabCheck> Run()
    {
        var wrong = 0;
        foreach (var (fault, settings, named) in Wrong)
        {
            var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(
                new ConfigurationInputs
                {
                    ProgramFile = null,
                    MachineFolder = null,
                    Environment = new Dictionary<string, string>(),
                    Presets = new Dictionary<string, string> { ["Stations:0:Name"] = "lab", ["Stations:0:Camera:Source"] = "virtual:" },
                    Settings = settings,
                }
            );
            var told = string.Join('\n', loaded.Faults);
            if (loaded.Faults.Count == 0 || !Array.TrueForAll(named, name => told.Contains(name, StringComparison.Ordinal)))
            {
                wrong++;
                LabReport.Tell($"{fault}: not refused by name; told was: {(told.Length == 0 ? "nothing" : told)}");
            }
        }

        return [LabCheck.AtMost($"wrong station files taken, of {Wrong.Length}", wrong, 0)];
    }
}
