using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>Where a changeover is.</summary>
internal enum ChangeoverStep
{
    /// <summary>None is under way.</summary>
    None,

    /// <summary>Parts of the old recipe come to their end under the old recipe.</summary>
    Drain,

    /// <summary>The new recipe is put in force; the line stands.</summary>
    Swap,

    /// <summary>It is proven that the new recipe works; the line stands.</summary>
    Verify,
}

/// <summary>What is to be done now.</summary>
internal enum ChangeoverAction
{
    /// <summary>Nothing yet.</summary>
    Wait,

    /// <summary>Put the new recipe in force.</summary>
    Swap,

    /// <summary>Begin to verify it.</summary>
    Verify,

    /// <summary>All is well: run as before.</summary>
    Go,

    /// <summary>It came to nothing, see <see cref="Changeover.Fault"/>.</summary>
    Fail,
}

/// <summary>How a piece of work that takes time stands.</summary>
/// <param name="IsOver">Whether it has come to its end.</param>
/// <param name="Fault">One line that says why it failed; null when it did not.</param>
internal readonly record struct WorkOutcome(bool IsOver, string? Fault = null)
{
    /// <summary>It goes on.</summary>
    public static readonly WorkOutcome Pending;

    /// <summary>It is done.</summary>
    public static readonly WorkOutcome Done = new(true);
}

/// <summary>
/// The order of a changeover and its time limits: drain, swap, verify, go. Pure: facts and time in, the next action out; the
/// station's control does what it says.
/// </summary>
internal sealed class Changeover(ChangeoverOptions options)
{
    private Instant _deadline;
    private Instant _emptySince = Instant.Never;

    /// <summary>Where it is.</summary>
    public ChangeoverStep Step { get; private set; }

    /// <summary>The recipe it leads to; that of the last one when none is under way.</summary>
    public string Recipe { get; private set; } = "";

    /// <summary>Why the last one came to nothing, with the step; null when it did not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Begins one; false when one is under way.</summary>
    public bool TryBegin(string recipe, Instant now)
    {
        if (Step != ChangeoverStep.None)
        {
            return false;
        }

        (Recipe, Fault, _emptySince) = (recipe, null, Instant.Never);
        Enter(ChangeoverStep.Drain, now + options.DrainLimit);
        return true;
    }

    /// <summary>What is to be done now. Each action is returned once.</summary>
    /// <param name="now">The present.</param>
    /// <param name="partsUnderWay">Parts between entry and ejector, while it drains.</param>
    /// <param name="outcome">How the swap, or the verification, stands while it is their turn.</param>
    public ChangeoverAction Next(Instant now, int partsUnderWay, WorkOutcome outcome)
    {
        switch (Step)
        {
            case ChangeoverStep.None:
                return ChangeoverAction.Wait;

            case ChangeoverStep.Drain:
                _emptySince =
                    partsUnderWay > 0 ? Instant.Never
                    : _emptySince == Instant.Never ? now
                    : _emptySince;
                if (_emptySince != Instant.Never && now - _emptySince >= options.Quiet)
                {
                    Enter(ChangeoverStep.Swap, now + options.SwapLimit);
                    return ChangeoverAction.Swap;
                }

                return now < _deadline
                    ? ChangeoverAction.Wait
                    : End(
                        $"the belt did not run empty within {options.DrainLimit.TotalSeconds:F0} s; stop the infeed and change again"
                    );

            case ChangeoverStep.Swap when outcome is { IsOver: true, Fault: null }:
                Enter(ChangeoverStep.Verify, now + options.VerifyLimit);
                return ChangeoverAction.Verify;

            case ChangeoverStep.Verify when outcome is { IsOver: true, Fault: null }:
                Step = ChangeoverStep.None;
                return ChangeoverAction.Go;

            case var step when outcome.IsOver:
                return End($"{(step == ChangeoverStep.Swap ? "swap" : "verification")} failed: {outcome.Fault}");

            case var step:
                return now < _deadline
                    ? ChangeoverAction.Wait
                    : End($"{(step == ChangeoverStep.Swap ? "swap" : "verification")} took too long");
        }
    }

    /// <summary>Ends one that is under way, for a reason.</summary>
    public void Abort(string reason) => _ = Step == ChangeoverStep.None ? ChangeoverAction.Wait : End(reason);

    private void Enter(ChangeoverStep step, Instant deadline) => (Step, _deadline) = (step, deadline);

    private ChangeoverAction End(string fault)
    {
        Step = ChangeoverStep.None;
        Fault = fault;
        return ChangeoverAction.Fail;
    }
}
