using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class ChangeoverTests
{
    private readonly Changeover _changeover = new(
        new ChangeoverOptions
        {
            Quiet = TimeSpan.FromSeconds(2),
            DrainLimit = TimeSpan.FromSeconds(10),
            SwapLimit = TimeSpan.FromSeconds(20),
            VerifyLimit = TimeSpan.FromSeconds(30),
        }
    );

    [Fact]
    public void DrainSwapVerifyGo()
    {
        Assert.True(_changeover.TryBegin("rusks", At(0)));
        Assert.Equal(ChangeoverAction.Wait, Next(0, parts: 3));
        Assert.Equal(ChangeoverAction.Wait, Next(1, parts: 0));
        Assert.Equal(ChangeoverAction.Swap, Next(3, parts: 0));
        Assert.Equal(ChangeoverAction.Wait, Next(4));
        Assert.Equal(ChangeoverAction.Verify, Next(5, outcome: WorkOutcome.Done));
        Assert.Equal(ChangeoverAction.Wait, Next(6));
        Assert.Equal(ChangeoverAction.Go, Next(7, outcome: WorkOutcome.Done));
        Assert.Equal((ChangeoverStep.None, "rusks", null), (_changeover.Step, _changeover.Recipe, _changeover.Fault));
        Assert.Equal(ChangeoverAction.Wait, Next(8, outcome: WorkOutcome.Done));
    }

    [Fact]
    public void AGapBetweenTwoPartsIsNoEmptyBelt()
    {
        _changeover.TryBegin("rusks", At(0));
        Assert.Equal(ChangeoverAction.Wait, Next(0, parts: 0));
        Assert.Equal(ChangeoverAction.Wait, Next(1.9, parts: 0));
        Assert.Equal(ChangeoverAction.Wait, Next(1.95, parts: 1));
        Assert.Equal(ChangeoverAction.Wait, Next(2, parts: 0));
        Assert.Equal(ChangeoverAction.Wait, Next(3.9, parts: 0));
        Assert.Equal(ChangeoverAction.Swap, Next(4, parts: 0));
    }

    [Fact]
    public void BeltThatDoesNotRunEmptyEndsItWithAdvice()
    {
        _changeover.TryBegin("rusks", At(0));
        Assert.Equal(ChangeoverAction.Wait, Next(9.9, parts: 1));
        Assert.Equal(ChangeoverAction.Fail, Next(10, parts: 1));
        Assert.Contains("stop the infeed", _changeover.Fault, StringComparison.Ordinal);
        Assert.Equal(ChangeoverStep.None, _changeover.Step);
        Assert.True(_changeover.TryBegin("rusks", At(11)));
        Assert.Null(_changeover.Fault);
    }

    [Theory]
    [InlineData(false, "swap failed: no such model")]
    [InlineData(true, "verification failed: no such model")]
    public void FaultOfEitherStepEndsItAndIsTold(bool verifying, string expected)
    {
        Drained();
        if (verifying)
        {
            Next(3, outcome: WorkOutcome.Done);
        }

        Assert.Equal(ChangeoverAction.Fail, Next(4, outcome: new WorkOutcome(true, "no such model")));
        Assert.Equal(expected, _changeover.Fault);
    }

    [Theory]
    [InlineData(false, 22, "swap took too long")]
    [InlineData(true, 33, "verification took too long")]
    public void EitherStepHasItsLimit(bool verifying, double limit, string expected)
    {
        Drained();
        if (verifying)
        {
            Next(3, outcome: WorkOutcome.Done);
        }

        Assert.Equal(ChangeoverAction.Wait, Next(limit - 0.01));
        Assert.Equal(ChangeoverAction.Fail, Next(limit));
        Assert.Equal(expected, _changeover.Fault);
    }

    [Fact]
    public void OneAtATime()
    {
        Assert.True(_changeover.TryBegin("rusks", At(0)));
        Assert.False(_changeover.TryBegin("wafers", At(1)));
        Assert.Equal("rusks", _changeover.Recipe);
    }

    private void Drained()
    {
        _changeover.TryBegin("rusks", At(0));
        Next(0, parts: 0);
        Assert.Equal(ChangeoverAction.Swap, Next(2, parts: 0));
    }

    private static Instant At(double seconds) => Some.At(seconds * 1000);

    private ChangeoverAction Next(double seconds, int parts = 0, WorkOutcome outcome = default) =>
        _changeover.Next(At(seconds), parts, outcome);
}
