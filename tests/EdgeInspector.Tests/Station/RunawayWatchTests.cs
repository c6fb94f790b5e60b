using CsCheck;
using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class RunawayWatchTests
{
    private readonly AlarmTable _alarms = new([], _ => { }, new LineClock());

    [Fact]
    public void AsManyRejectsInARowAsTheLimitAreAnAlarmAndOneFewerAreNot()
    {
        var watch = Watch(new RunawayLimits { RejectsInARow = 10 });
        Reject(watch, 9);
        Pass(watch, 1);
        Reject(watch, 9);
        Assert.Empty(_alarms.Summary.Standing);
        Reject(watch, 1);
        var alarm = Assert.Single(_alarms.Summary.Standing);
        Assert.Equal((AlarmCode.RunawayRejects, "10 parts in a row rejected"), (alarm.Code, alarm.Text));
        Assert.True(_alarms.Summary.StopsLine);
    }

    [Fact]
    public void AcknowledgedLineIsNotStoppedAgainByWhatWasBefore()
    {
        var watch = Watch(new RunawayLimits { RejectsInARow = 10 });
        Reject(watch, 10);
        _alarms.Acknowledge(null, "anna", Some.At(0));
        Reject(watch, 9);
        Assert.Empty(_alarms.Summary.Standing);
        Reject(watch, 1);
        Assert.NotEmpty(_alarms.Summary.Standing);
    }

    [Theory]
    [InlineData(Verdict.NotInspected, Reason.NotSeen, AlarmCode.NotInspectedInARow)]
    [InlineData(Verdict.Late, Reason.Deadline, AlarmCode.LateParts)]
    [InlineData(Verdict.Reject, Reason.Unsure, AlarmCode.UnsureInARow)]
    internal void EachKindOfUndecidedPartHasItsLimitWhateverBecomesOfIt(Verdict verdict, Reason reason, AlarmCode expected)
    {
        var limits = new RunawayLimits { NotInspectedInARow = 5, LateInARow = 5, UnsureInARow = 5 };
        foreach (var disposition in Enum.GetValues<Disposition>())
        {
            var watch = Watch(limits);
            for (var i = 0; i < 4; i++)
            {
                watch.Enter(verdict, reason, disposition, Some.At(i));
            }

            Assert.Empty(_alarms.Summary.Standing);
            watch.Enter(verdict, reason, disposition, Some.At(5));
            Assert.Equal(expected, Assert.Single(_alarms.Summary.Standing).Code);
            _alarms.Acknowledge(null, "anna", Some.At(6));
        }
    }

    [Fact]
    public void LimitsThatAreOffNeverSpeak()
    {
        var watch = Watch(default);
        for (var i = 0; i < 10_000; i++)
        {
            watch.Enter(Verdict.Late, Reason.Unsure, Disposition.Reject, Some.At(i));
            watch.Enter(Verdict.NotInspected, Reason.NotSeen, Disposition.Reject, Some.At(i));
        }

        Assert.Empty(_alarms.Summary.Standing);
    }

    [Fact]
    public void RateSpeaksWhenMoreThanItsShareOfAFullWindowWasRejected() =>
        Gen.Select(Gen.Int[1, 40], Gen.Double[0.05, 0.95], Gen.Bool.Array[0, 200])
            .Sample(
                (parts, share, rejects) =>
                {
                    var alarms = new AlarmTable([], _ => { }, new LineClock());
                    var watch = new RunawayWatch(alarms, new RunawayLimits { RejectRate = share, RejectRateParts = parts });

                    // The same, written down without a ring: the parts since the last alarm, the newest so many of them.
                    List<bool> since = [];
                    long expected = 0;
                    foreach (var isReject in rejects)
                    {
                        since.Add(isReject);
                        if (since.Count >= parts && since.TakeLast(parts).Count(one => one) > share * parts)
                        {
                            expected++;
                            since.Clear();
                        }

                        watch.Enter(
                            isReject ? Verdict.Reject : Verdict.Pass,
                            isReject ? Reason.Defect : Reason.None,
                            isReject ? Disposition.Reject : Disposition.Pass,
                            Some.At(0)
                        );
                    }

                    Assert.Equal(expected, alarms.Summary.Standing.SingleOrDefault()?.Count ?? 0);
                },
                iter: 2000
            );

    [Fact]
    public void AnotherRecipeStartsAnew()
    {
        var watch = Watch(new RunawayLimits { RejectsInARow = 10 });
        Reject(watch, 9);
        watch.Use(new RunawayLimits { RejectsInARow = 10 });
        Reject(watch, 9);
        Assert.Empty(_alarms.Summary.Standing);
    }

    private RunawayWatch Watch(RunawayLimits limits) => new(_alarms, limits);

    private static void Reject(RunawayWatch watch, int count)
    {
        for (var i = 0; i < count; i++)
        {
            watch.Enter(Verdict.Reject, Reason.Defect, Disposition.Reject, Some.At(i));
        }
    }

    private static void Pass(RunawayWatch watch, int count)
    {
        for (var i = 0; i < count; i++)
        {
            watch.Enter(Verdict.Pass, Reason.None, Disposition.Pass, Some.At(i));
        }
    }
}
