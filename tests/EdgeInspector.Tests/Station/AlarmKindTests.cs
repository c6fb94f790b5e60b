using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Conventions;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class AlarmKindTests
{
    [Fact]
    public void EveryCodeHasOneKindAndEveryNameIsItsOwn()
    {
        Assert.Equal(Enum.GetValues<AlarmCode>().Where(code => code != AlarmCode.None), AlarmKind.All.Select(kind => kind.Code));
        Assert.Equal(AlarmKind.All.Count, AlarmKind.All.Select(kind => kind.Name).Distinct().Count());
        Assert.All(AlarmKind.All, kind => Assert.Matches("^[a-z]+(-[a-z]+)*$", kind.Name));
    }

    [Fact]
    public void TheOperatorsTableSaysWhatTheProgramDoes()
    {
        var rows =
            from line in File.ReadLines(Path.Combine(SourceTree.Root, "docs", "alarms.md"))
            let cells = line.Split('|', StringSplitOptions.TrimEntries)
            where cells.Length == 8 && int.TryParse(cells[1], out _)
            select (Facts: string.Join(' ', cells[1..5]), Cause: cells[5], Remedy: cells[6]);
        var kinds = AlarmKind.All.Select(kind =>
            $"{(int)kind.Code} `{kind.Name}` {kind.Severity.ToString().ToLowerInvariant()} "
            + (kind.IsLatched ? "latched" : "itself")
            + (kind.IsMomentary ? ", moment" : "")
        );

        Assert.Equal(kinds, rows.Select(row => row.Facts));
        Assert.All(rows, row => Assert.True(row.Cause.Length > 10 && row.Remedy.Length > 10));
    }

    [Theory]
    [InlineData("bin-full", AlarmCode.BinFull)]
    [InlineData("Bin-Full", AlarmCode.BinFull)]
    [InlineData("103", AlarmCode.BinFull)]
    [InlineData("bin", null)]
    [InlineData("99", null)]
    internal void AnAlarmIsFoundByNameOrNumber(string written, AlarmCode? expected) =>
        Assert.Equal(expected, AlarmKind.Find(written)?.Code);

    [Fact]
    public void SettingsOfAnAlarmThatDoesNotExistAreRefusedByName()
    {
        var fault = Assert.Single(AlarmOptions.Validate(["bin-full", "bin-fool"]));
        Assert.Contains("'bin-fool' is no alarm", fault.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(["Alarms:bin-fool"], fault.MemberNames);
    }
}
