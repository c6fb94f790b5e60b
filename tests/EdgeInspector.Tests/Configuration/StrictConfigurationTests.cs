using System.ComponentModel.DataAnnotations;
using EdgeInspector.Configuration;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Configuration;

public sealed class StrictConfigurationTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WithoutAnySourceTheDefaultsHold()
    {
        var result = Load(new ConfigurationInputs());

        Assert.Empty(result.Faults);
        Assert.Equal(5, result.Value.Oven.Trays);
        Assert.Equal(["plain"], result.Value.Kinds);
    }

    [Fact]
    public void EveryKindOfValueIsBound()
    {
        var file = _folder.Write("all.json", """
            {
              // comments and trailing commas are welcome
              "name": "north",
              "oven": { "trays": 7, "heat": 0.25, "rest": "250ms", "door": "open", "limit": null },
              "kinds": ["a", "b"],
              "shelves": [ { "trays": 2 }, {} ],
              "prices": { "a": 1.5, "b": 2 },
              "at": "2026-01-31T12:00:00Z",
            }
            """);

        var result = Load(new ConfigurationInputs { Files = [file] });

        Assert.Empty(result.Faults);
        var bakery = result.Value;
        Assert.Equal("north", bakery.Name);
        Assert.Equal((7, 0.25, TimeSpan.FromMilliseconds(250), Door.Open), (bakery.Oven.Trays, bakery.Oven.Heat, bakery.Oven.Rest, bakery.Oven.Door));
        Assert.Null(bakery.Oven.Limit);
        Assert.Equal(["a", "b"], bakery.Kinds);
        Assert.Equal([2, 5], bakery.Shelves.Select(oven => oven.Trays));
        Assert.Equal(new Dictionary<string, double> { ["a"] = 1.5, ["b"] = 2 }, bakery.Prices);
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), bakery.At);
    }

    [Fact]
    public void LaterSourcesWinKeyByKey()
    {
        var program = _folder.Write("appsettings.json", """{ "Oven": { "Trays": 1, "Heat": 0.1 }, "Name": "program" }""");
        _folder.Write("etc/10.json", """{ "Oven": { "Trays": 2 }, "Name": "ten" }""");
        _folder.Write("etc/20.json", """{ "Oven": { "Trays": 3 } }""");
        var named = _folder.Write("named.json", """{ "Oven": { "Trays": 4 } }""");
        var inputs = new ConfigurationInputs
        {
            ProgramFile = program,
            MachineFolder = _folder["etc"],
            Presets = new Dictionary<string, string> { ["Oven:Trays"] = "9", ["Oven:Rest"] = "3s" },
            Environment = new Dictionary<string, string>(),
        };

        Assert.Equal(3, Sound(inputs).Oven.Trays);
        Assert.Equal("ten", Sound(inputs).Name);
        Assert.Equal(0.1, Sound(inputs).Oven.Heat);
        Assert.Equal(TimeSpan.FromSeconds(3), Sound(inputs).Oven.Rest);
        inputs = inputs with { Files = [named] };
        Assert.Equal(4, Sound(inputs).Oven.Trays);
        inputs = inputs with { Environment = new Dictionary<string, string> { ["EDGEINSPECTOR_OVEN__TRAYS"] = "5" } };
        Assert.Equal(5, Sound(inputs).Oven.Trays);
        inputs = inputs with { Settings = ["Oven:Trays=6"] };
        Assert.Equal(6, Sound(inputs).Oven.Trays);
    }

    [Fact]
    public void EveryFaultOfEverySourceIsListedAtOnce()
    {
        var first = _folder.Write("first.json", """
            { "Oven": { "Tray": 3, "Heat": "warm", "Door": "ajar" }, "Colour": "red" }
            """);
        var second = _folder.Write("second.json", """{ "Shelves": [ {}, { "Trays": 99 } ], "Prices": { "a": "dear" } }""");
        var result = Load(new ConfigurationInputs
        {
            Files = [first, second],
            Environment = new Dictionary<string, string> { ["EDGEINSPECTOR_OVEN__REST"] = "5", ["OTHER"] = "x" },
            Settings = ["Oven:Limit=-1", "nonsense", "Name=Two Words"],
        });

        Assert.Equal(
            new[]
            {
                "--set nonsense: has no key and value; write --set Section:Key=value",
                $"{first}: Colour: unknown key; known here: At, Kinds, Logging, Name, Oven, Prices, Shelves",
                $"{first}: Oven:Tray: unknown key; did you mean Trays?",
                $"{first}: Oven:Heat: 'warm' does not parse; give a number, 0 to 1",
                $"{first}: Oven:Door: 'ajar' does not parse; give one of Shut, Open",
                "environment EDGEINSPECTOR_OVEN__REST: Oven:Rest: '5' does not parse; "
                    + "give a time such as 250ms, 2s, 5min, 1h, 30d or 00:00:02, 100ms to 1min",
                $"{second}: Prices:a: 'dear' does not parse; give a number",
                "--set Name: Name: 'Two Words': must be one word",
                "--set Oven:Limit: Oven:Limit: '-1' is out of range; give a whole number, 0 to 10",
                $"{second}: Shelves:1:Trays: '99' is out of range; give a whole number, 1 to 50",
            }.Order(StringComparer.Ordinal),
            result.Faults.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void EveryFaultIsOneLine() =>
        Assert.All(
            Load(new ConfigurationInputs { Settings = ["Name=a\nb", "Oven:Heat=a\nb"] }).Faults,
            fault => Assert.DoesNotContain('\n', fault));

    [Fact]
    public void RulesBetweenKeysAreCheckedWhereTheKeysThemselvesAreSound()
    {
        var result = Load(new ConfigurationInputs { Settings = ["Oven:Trays=40", "Oven:Heat=0.9"] });

        Assert.Equal(["--set Oven:Heat: Oven:Heat: is too much for 40 trays; lower one of them"], result.Faults);
    }

    [Theory]
    [InlineData("{\n  \"Name\": \"a\",,\n}", "line 2, column 15: not JSON")]
    [InlineData("{ \"Name\": \"a\"", "not JSON")]
    [InlineData("", "not JSON")]
    [InlineData("{ \"Name\": \"a\", \"name\": \"b\" }", "name")]
    [InlineData("[1]", "")]
    public void ABrokenFileIsNamedWithItsLineAndDoesNotHideOtherFaults(string text, string what)
    {
        var file = _folder.Write("broken.json", text);

        var result = Load(new ConfigurationInputs { Files = [file], Settings = ["Nam=x"] });

        Assert.Equal(2, result.Faults.Count);
        Assert.StartsWith($"{file}: ", result.Faults[0], StringComparison.Ordinal);
        Assert.Contains(what, result.Faults[0], StringComparison.Ordinal);
        Assert.DoesNotContain('\n', result.Faults[0]);
        Assert.Equal("--set Nam: Nam: unknown key; did you mean Name?", result.Faults[1]);
    }

    [Fact]
    public void AFileNamedOnTheCommandLineMustExist() =>
        Assert.Equal(
            [$"{_folder["none.json"]}: there is no such file; name an existing one with --config"],
            Load(new ConfigurationInputs { Files = [_folder["none.json"]] }).Faults);

    [Theory]
    [InlineData("Oven=7", "Oven: '7' is a single value; give a section with Trays, Heat, Rest, Door, Limit")]
    [InlineData("Kinds=7", "Kinds: '7' is a single value; give a list (Kinds:0, Kinds:1, ...)")]
    [InlineData("Kinds:x=7", "Kinds:x: is no list index; give a list (Kinds:0, Kinds:1, ...)")]
    [InlineData("Kinds:1=7", "Kinds:1: has no neighbour at 0; number the list from 0 without gaps")]
    [InlineData("Name:x=7", "Name: is a section; give a text")]
    [InlineData("Oven:Door=1", "Oven:Door: '1' does not parse; give one of Shut, Open")]
    [InlineData("Oven:Trays=1.5", "Oven:Trays: '1.5' does not parse; give a whole number, 1 to 50")]
    [InlineData("Oven:Trays=99999999999999999999999", "Oven:Trays: '99999999999999999999999' does not parse; give a whole number, 1 to 50")]
    [InlineData("Oven:Heat=NaN", "Oven:Heat: 'NaN' does not parse; give a number, 0 to 1")]
    [InlineData("Oven:Heat=0,5", "Oven:Heat: '0,5' does not parse; give a number, 0 to 1")]
    public void AValueInTheWrongShapeSaysWhichShapeIsRight(string setting, string fault) =>
        Assert.Equal([$"--set {setting.Split('=')[0]}: {fault}"], Load(new ConfigurationInputs { Settings = [setting] }).Faults);

    [Theory]
    [InlineData("1500us", 1.5)]
    [InlineData("250ms", 250)]
    [InlineData("2s", 2_000)]
    [InlineData("0.5 min", 30_000)]
    [InlineData("00:00:10.5", 10_500)]
    public void TimesAreWrittenWithTheirUnit(string text, double milliseconds)
    {
        Assert.True(OptionValues.TryParse(typeof(TimeSpan), text, out var value));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), value);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("24:00:00")]
    [InlineData("soon")]
    [InlineData("1e300d")]
    [InlineData("")]
    public void AnUnclearTimeIsRefused(string text) => Assert.False(OptionValues.TryParse(typeof(TimeSpan), text, out _));

    [Fact]
    public void LoggingIsLeftToTheFramework()
    {
        var result = Load(new ConfigurationInputs { Settings = ["Logging:LogLevel:Default=Debug"] });

        Assert.Empty(result.Faults);
        Assert.Equal("Debug", result.Root["Logging:LogLevel:Default"]);
    }

    [Fact]
    public void AnEmptyListReplacesTheDefaultList()
    {
        var file = _folder.Write("empty.json", """{ "Kinds": [], "Oven": {} }""");

        var bakery = Sound(new ConfigurationInputs { ProgramFile = file });

        Assert.Empty(bakery.Kinds);
        Assert.Equal(5, bakery.Oven.Trays);
    }

    [Fact]
    public void WhereTheTestsFindTheirPicturesIsNoSetting() =>
        Assert.Empty(Load(new ConfigurationInputs
        {
            Environment = new Dictionary<string, string> { ["EDGEINSPECTOR_TEST_DATA"] = "/somewhere" },
        }).Faults);

    private static ConfigurationResult<Bakery> Load(ConfigurationInputs inputs) => StrictConfiguration.Load<Bakery>(inputs with
    {
        ProgramFile = inputs.ProgramFile is { } file && file.StartsWith(Path.GetTempPath(), StringComparison.Ordinal) ? file : null,
        Environment = inputs.Environment ?? new Dictionary<string, string>(),
    });

    private static Bakery Sound(ConfigurationInputs inputs)
    {
        var result = Load(inputs);
        Assert.Empty(result.Faults);
        return result.Value;
    }

    internal enum Door
    {
        Shut,
        Open,
    }

    internal sealed class Bakery
    {
        [RegularExpression("^\\w+$", ErrorMessage = "must be one word")]
        public string Name { get; set; } = "bakery";

        public Oven Oven { get; set; } = new();

        public IReadOnlyList<string> Kinds { get; set; } = ["plain"];

        public List<Oven> Shelves { get; } = [new Oven(), new Oven(), new Oven()];

        public Dictionary<string, double> Prices { get; set; } = [];

        public DateTimeOffset? At { get; set; }
    }

    internal sealed class Oven : IValidatableObject
    {
        [Range(1, 50)]
        public int Trays { get; set; } = 5;

        [Range(0.0, 1.0)]
        public double Heat { get; set; } = 0.5;

        [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
        public TimeSpan Rest { get; set; } = TimeSpan.FromSeconds(1);

        public Door Door { get; set; }

        [Range(0, 10)]
        public int? Limit { get; set; } = 3;

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Heat * Trays > 30)
            {
                yield return new ValidationResult($"is too much for {Trays} trays; lower one of them", [nameof(Heat)]);
            }
        }
    }
}
