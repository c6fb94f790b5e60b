using System.Text.Json;
using EdgeInspector.Configuration;

namespace EdgeInspector.Lab.Faults;

/// <summary>The station that faults happen to: the biscuit line, with a panel, in a folder of its own.</summary>
internal sealed class FaultStation
{
    public const int Ejector = 10;
    public const int Healthy = 30;
    public const int Heartbeat = 31;
    public const int LineStop = 32;
    public const int Green = 33;
    public const int Amber = 34;
    public const int Red = 35;

    /// <summary>Every pin that it drives.</summary>
    public static readonly int[] Pins = [Ejector, Healthy, Heartbeat, LineStop, Green, Amber, Red];

    /// <summary>Writes the station's file.</summary>
    /// <param name="folder">For file, pins and data; made when it is missing.</param>
    /// <param name="seed">What the line carries.</param>
    /// <param name="data">Folder of the ledger; null is beside the file.</param>
    /// <param name="stopLineWhenDown">Whether its safe state requests a line stop.</param>
    public FaultStation(string folder, int seed, string? data = null, bool stopLineWhenDown = true)
    {
        Directory.CreateDirectory(folder);
        Folder = folder;
        DataFolder = data ?? Path.Combine(folder, "data");
        StopLineWhenDown = stopLineWhenDown;
        var station = new
        {
            DataFolder,
            Stations = new[]
            {
                new
                {
                    Name = "fault-1",
                    Camera = new { Source = "virtual:" },
                    Belt = new { Speed = 0.8, Encoder = new { Pin = 22, CountsPerMillimetre = 10 } },
                    Sensors = new { EntryEyes = new[] { new { Pin = 20 } }, ConfirmEyes = new[] { new { Pin = 21 } } },
                    Reject = new { Ejectors = new[] { new { Pin = Ejector } } },

                    // Policy throws out a hundred parts in a row while a network hangs; an operator would have to acknowledge
                    // that, and what is to be seen here is what the station does by itself.
                    Recipe = new { ConsecutiveRejectLimit = 0 },
                    Panel = new
                    {
                        StopLineWhenDown = stopLineWhenDown,
                        LineStop = new { Pin = LineStop, ActiveHigh = false },
                        Healthy = new { Pin = Healthy },
                        Heartbeat = new { Pin = Heartbeat },
                        Green = new { Pin = Green },
                        Amber = new { Pin = Amber },
                        Red = new { Pin = Red },
                    },
                    Virtual = new { Seed = seed, DefectRate = 0.3 },
                },
            },
            Mqtt = new { Enabled = false },
            Web = new { Enabled = false },
        };
        File.WriteAllText(StationFile, JsonSerializer.Serialize(station));
    }

    /// <summary>Everything of the station's is in it.</summary>
    public string Folder { get; }

    /// <summary>Where its ledger is.</summary>
    public string DataFolder { get; }

    /// <summary>Whether its safe state requests a line stop.</summary>
    public bool StopLineWhenDown { get; }

    /// <summary>The file that the program is given.</summary>
    public string StationFile => Path.Combine(Folder, "station.json");

    /// <summary>
    /// The pins of one run. Each has a file of its own: one that is made anew loses its pins under whoever looks at them.
    /// </summary>
    public string PinFile(int run) => Path.Combine(Folder, $"pins-{run}");

    /// <summary>The same as options.</summary>
    public EdgeInspectorOptions Options(int run = 0)
    {
        var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(
            new ConfigurationInputs
            {
                ProgramFile = null,
                MachineFolder = null,
                Files = [StationFile],
                Settings = [$"Stations:0:Virtual:PinFile={PinFile(run)}"],
                Environment = new Dictionary<string, string>(),
            }
        );
        return loaded.IsSound ? loaded.Value : throw new FaultNotShownException(string.Join("; ", loaded.Faults));
    }

    /// <summary>Outputs that are not at their safe levels, in words; empty when all are.</summary>
    public IReadOnlyList<string> UnsafeOutputs(PinWatch pins)
    {
        // Line stop is wired so that the low level stops.
        (int Pin, string Name, bool Safe)[] outputs =
        [
            (Ejector, "ejector", false),
            (Healthy, "Healthy", false),
            (Heartbeat, "heartbeat", false),
            (LineStop, "line stop", !StopLineWhenDown),
            (Green, "green lamp", false),
        ];
        return [.. outputs.Where(output => pins.IsHigh(output.Pin) != output.Safe).Select(output => output.Name)];
    }
}
