using CsCheck;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class StationStateTableTests
{
    // Rows: states; columns: events, both in the order of their enumerations. P H E I R S C as the states begin, . refused.
    private const string Matrix = """
                            StartupDone SelectRecipe DropRecipe StartSingle StartContinuous JobDone Stop Abort Fault Reset Halt
        Preoperational      I           .            .          .           .               .       .    .     E     P     H
        Halted              .           .            .          .           .               .       .    .     .     P     .
        Error               .           .            .          .           .               .       .    .     E     P     H
        Initialized         .           R            .          .           .               .       .    .     E     P     H
        Ready               .           R            I          S           C               .       .    .     E     P     H
        SingleExecution     .           .            .          .           .               R       R    R     E     P     H
        ContinuousExecution .           .            .          .           .               R       R    R     E     P     H
        """;

    [Fact]
    public void EveryPairOfStateAndEventLeadsWhereTheMatrixSays()
    {
        var lines = Matrix.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        Assert.Equal(Enum.GetNames<StationEvent>(), lines[0]);
        Assert.Equal(Enum.GetNames<StationState>(), lines[1..].Select(line => line[0]));
        foreach (var state in Enum.GetValues<StationState>())
        {
            foreach (var happened in Enum.GetValues<StationEvent>())
            {
                var expected = lines[(int)state + 1][(int)happened + 1];
                var moved = StationStateTable.TryMove(state, happened, out var next, out var refusal);
                Assert.True(
                    expected == (moved ? next.ToString()[..1] : "."),
                    $"{happened} in {state} leads to {(moved ? next : "nothing")}, expected {expected}"
                );
                if (!moved)
                {
                    Assert.Equal(state, next);
                    Assert.StartsWith($"{happened} is not possible in {state}; possible are ", refusal, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void NothingButAStartByNameLeadsIntoARun() =>
        Gen.Enum<StationEvent>()
            .Array[0, 40]
            .Sample(
                events =>
                {
                    var cell = new StationStateCell();
                    foreach (var happened in events)
                    {
                        var before = cell.State;
                        cell.TryMove(happened, Some.At(0), out _);
                        if (StationStateTable.IsExecuting(cell.State) && !StationStateTable.IsExecuting(before))
                        {
                            Assert.True(happened is StationEvent.StartSingle or StationEvent.StartContinuous);
                            Assert.Equal(StationState.Ready, before);
                        }
                    }
                },
                iter: 2000,
                threads: 1
            );

    [Fact]
    public void ChangesAreToldOnceEach()
    {
        List<(StationState, StationState)> told = [];
        var cell = new StationStateCell((from, to, _, _) => told.Add((from, to)));
        Assert.True(cell.TryMove(StationEvent.StartupDone, Some.At(0), out _));
        Assert.True(cell.TryMove(StationEvent.SelectRecipe, Some.At(1), out _));
        Assert.True(cell.TryMove(StationEvent.SelectRecipe, Some.At(2), out _)); // Another recipe, the same state.
        Assert.False(cell.TryMove(StationEvent.JobDone, Some.At(3), out var refusal));
        Assert.Contains("possible are SelectRecipe, DropRecipe", refusal, StringComparison.Ordinal);
        Assert.Equal(
            [(StationState.Preoperational, StationState.Initialized), (StationState.Initialized, StationState.Ready)],
            told
        );
    }
}
