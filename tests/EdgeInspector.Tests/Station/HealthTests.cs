using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class HealthTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(400);
    private readonly Health _health = new();

    [Fact]
    public void APartThatHasNotBegunIsNotAlive()
    {
        var inspect = _health.Add("inspect", AlarmCode.NotResponding, Limit);
        Assert.True(_health.TryFindSilent(Some.At(0), out var silence));
        Assert.Equal("inspect has not begun", silence.ToString());
        inspect.Beat(Some.At(0));
        Assert.True(_health.IsAlive(Some.At(400)));
    }

    [Fact]
    public void TheSilentPartIsNamedWithItsSilence()
    {
        var capture = _health.Add("capture", AlarmCode.CameraLost, Limit);
        var inspect = _health.Add("inspect", AlarmCode.NotResponding, Limit);
        capture.Beat(Some.At(1000));
        inspect.Beat(Some.At(500));
        Assert.True(_health.TryFindSilent(Some.At(1001), out var silence));
        Assert.Equal(("inspect", AlarmCode.NotResponding), (silence.Name, silence.Alarm));
        Assert.Equal("inspect has been silent for 501 ms, more than 400 ms", silence.ToString());
    }

    [Fact]
    public void AThreadThatWaitsForWorkMayWaitForEver()
    {
        var ledger = _health.Add("ledger", AlarmCode.LedgerFault, Limit);
        ledger.Rest();
        Assert.True(_health.IsAlive(Some.At(1e9)));
    }

    [Fact]
    public void WorkThatWaitsCountsFromWhenItCame()
    {
        var ledger = _health.Add("ledger", AlarmCode.LedgerFault, Limit);
        ledger.Rest();
        ledger.Owe(Some.At(1000));
        ledger.Owe(Some.At(1300)); // A second record does not excuse the first.
        Assert.True(_health.IsAlive(Some.At(1400)));
        Assert.False(_health.IsAlive(Some.At(1401)));
        ledger.Beat(Some.At(1402));
        ledger.Owe(Some.At(1500));
        Assert.True(_health.IsAlive(Some.At(1802)));
        Assert.False(_health.IsAlive(Some.At(1803)));
    }

    [Fact]
    public void ABeatThatIsNewerThanTheLookIsAlive()
    {
        _health.Add("reject", AlarmCode.NotResponding, Limit).Beat(Some.At(10));
        Assert.True(_health.IsAlive(Some.At(9)));
    }

    [Fact]
    public void ASharedCellIsSilentForEverybody()
    {
        var ledger = new Liveness();
        var other = new Health();
        _health.Add("ledger", AlarmCode.LedgerFault, Limit, ledger);
        other.Add("ledger", AlarmCode.LedgerFault, Limit, ledger);
        ledger.Beat(Some.At(0));
        Assert.False(_health.IsAlive(Some.At(500)) || other.IsAlive(Some.At(500)));
    }

    [Fact]
    public void ALostCameraAndAFullDiskAreNoReasonToRestart()
    {
        _health.Add("capture", AlarmCode.CameraLost, Limit).Beat(Some.At(0));
        _health.Add("ledger", AlarmCode.LedgerFault, Limit).Beat(Some.At(0));
        var inspect = _health.Add("inspect", AlarmCode.NotResponding, Limit);
        inspect.Beat(Some.At(1000));
        Assert.False(_health.IsAlive(Some.At(1001)));
        Assert.True(_health.IsResponding(Some.At(1001)));
        Assert.False(_health.IsResponding(Some.At(1401)));
    }

    [Fact]
    public void BeatingAndLookingAllocateNothing()
    {
        var cell = _health.Add("inspect", AlarmCode.NotResponding, Limit);
        void Turn()
        {
            for (var i = 0; i < 100; i++)
            {
                cell.Beat(Some.At(i));
                cell.Rest();
                cell.Owe(Some.At(i));
                _health.IsAlive(Some.At(i * 10));
            }
        }

        Turn();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Turn();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
