using EdgeInspector.Configuration;
using EdgeInspector.Tests.Conventions;
using Xunit;

namespace EdgeInspector.Tests.Configuration;

/// <summary>The files that people are told to start from are read as strictly as their own.</summary>
public sealed class StationFileTests
{
    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Path.Combine(SourceTree.Root, "firmware-config", "stations"), "*.json").Select(path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Files))]
    public void StationFileIsSound(string file)
    {
        var loaded = Load(Path.Combine(SourceTree.Root, "firmware-config", "stations", file));
        Assert.Empty(loaded.Faults);
        Assert.NotEmpty(loaded.Value.Stations);
    }

    [Fact]
    public void TwoSignalsOnOneLineAreNamed()
    {
        var loaded = Load(
            Path.Combine(SourceTree.Root, "firmware-config", "stations", "biscuit-line.json"),
            "Stations:0:Sensors:EntryEyes:0:Pin=144"
        );
        Assert.Contains("144", Assert.Single(loaded.Faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dev/video0", "/tmp/pins", "Virtual:PinFile")]
    [InlineData("virtual:", "/no/such/folder/pins", "/no/such/folder")]
    [InlineData("virtual:", "", "Virtual:PinFile")]
    public void PinFileThatCannotBeIsRefused(string camera, string pinFile, string named)
    {
        var loaded = Load(
            Path.Combine(SourceTree.Root, "firmware-config", "stations", "biscuit-line.json"),
            $"Stations:0:Camera:Source={camera}",
            $"Stations:0:Virtual:PinFile={pinFile}"
        );
        Assert.Contains(named, Assert.Single(loaded.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void NoStationAtAllIsAFault() =>
        Assert.Contains(
            StrictConfiguration
                .Load<EdgeInspectorOptions>(
                    new ConfigurationInputs { ProgramFile = null, MachineFolder = null, Environment = new Dictionary<string, string>() }
                )
                .Faults,
            fault => fault.Contains("Stations", StringComparison.Ordinal)
        );

    // The password file of the example is on no machine yet.
    private static ConfigurationResult<EdgeInspectorOptions> Load(string file, params string[] settings) =>
        StrictConfiguration.Load<EdgeInspectorOptions>(
            new ConfigurationInputs
            {
                ProgramFile = null,
                MachineFolder = null,
                Files = [file],
                Settings = [.. settings, "Mqtt:PasswordFile="],
                Environment = new Dictionary<string, string>(),
            }
        );
}
