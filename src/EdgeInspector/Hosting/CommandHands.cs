using EdgeInspector.Control;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Station;

namespace EdgeInspector.Hosting;

/// <summary>
/// Does what a command asks for: the one place where a verb becomes a deed at a station. Called for one command at a time;
/// nothing here fires an output but <see cref="StationControl.TryEjector"/>, which the maintenance key locks.
/// </summary>
internal sealed class CommandHands(
    Func<string, InspectionStation?> stations,
    StandingOrders orders,
    LabelBook labels,
    LedgerReader ledger,
    Func<string, string?, EvidencePicture?> findPicture,
    Action<EvidencePicture> publishPicture,
    Func<PackedBundle> pack,
    TimeProvider time
)
{
    /// <summary>Called with each label that was given, after it was kept.</summary>
    public Action<PartLabel> Labelled { get; init; } = _ => { };

    /// <summary>Does it.</summary>
    public ValueTask<CommandEffect> ExecuteAsync(CommandOrder order) =>
        stations(order.Station) is { } station
            ? ValueTask.FromResult(Execute(order, station))
            : ValueTask.FromResult(CommandEffect.Refused(RefusalCode.UnknownStation, "the station is not up yet"));

    private CommandEffect Execute(CommandOrder order, InspectionStation station)
    {
        var (verb, arguments, now) = (order.Verb, order.Arguments, time.GetInstant());
        if (verb == CommandVerb.Arm)
        {
            return Kept(station.Control.Arm(now), station, "it runs", known => known with { Paused = false });
        }

        if (verb == CommandVerb.Pause)
        {
            return Kept(station.Control.Pause(now), station, "it does not run", known => known with { Paused = true });
        }

        if (verb == CommandVerb.Acknowledge)
        {
            return arguments.Alarm is { } alarm && AlarmKind.Find(alarm) is null
                ? CommandEffect.Refused(RefusalCode.NotFound, "there is no such alarm; docs/alarms.md has them all")
                : station.Control.AcknowledgeAlarm(arguments.Alarm, order.Who, now) is { IsDone: false } refused
                    ? CommandEffect.Refused(RefusalCode.State, refused.Refusal!)
                    : CommandEffect.Done(Standing(station));
        }

        if (verb == CommandVerb.Mute)
        {
            return Told(station.Control.Mute(), "the buzzer is silent until the next new alarm");
        }

        if (verb == CommandVerb.ChangeRecipe)
        {
            return station.Recipes.Contains(arguments.Recipe)
                ? Told(station.Control.ChangeRecipe(arguments.Recipe!, now), $"the changeover to '{arguments.Recipe}' has begun")
                : CommandEffect.Refused(RefusalCode.NotFound, $"there is no such recipe; there is {string.Join(", ", station.Recipes)}");
        }

        if (verb == CommandVerb.ChangeThreshold)
        {
            return ChangeThreshold(station, arguments.Threshold!.Value);
        }

        if (verb == CommandVerb.Challenge)
        {
            var started = station.Control.StartChallenge(order.Who, null, now, arguments.Pieces);
            return started.IsDone
                ? CommandEffect.Done("the challenge test has begun", ("challenge", station.Challenges.Running ?? ""))
                : CommandEffect.Refused(RefusalCode.State, started.Refusal!);
        }

        if (verb == CommandVerb.LabelPart)
        {
            return Label(order, station);
        }

        if (verb == CommandVerb.Picture)
        {
            return Picture(order);
        }

        if (verb == CommandVerb.Diagnostics)
        {
            var bundle = pack();
            var name = Path.GetFileName(bundle.Path);
            return CommandEffect.Done(
                $"packed, {bundle.Bytes} bytes",
                ("file", name),
                ("path", $"/v1/diagnostics/{name}")
            );
        }

        if (verb == CommandVerb.Fire)
        {
            return station.IsMaintenance
                ? Told(station.Control.TryEjector(arguments.Lane!.Value), $"lane {arguments.Lane} fires once")
                : CommandEffect.Refused(RefusalCode.Maintenance, "an ejector fires by hand only while the maintenance key at the panel is turned");
        }

        throw new InvalidOperationException($"{verb.Name} is in the table of commands and has no deed");
    }

    private CommandEffect ChangeThreshold(InspectionStation station, double threshold)
    {
        if (station.Challenges.Running is { } test)
        {
            return CommandEffect.Refused(RefusalCode.State, $"challenge test {test} is under way; its pieces must meet one threshold");
        }

        if (station.Control.Changeover != ChangeoverStep.None)
        {
            return CommandEffect.Refused(RefusalCode.State, "a changeover is under way");
        }

        var (recipe, before) = (station.Recipe.Name, station.Threshold);
        return station.ChangeThreshold(threshold) is { } refusal
            ? CommandEffect.Refused(RefusalCode.Limit, refusal)
            : Kept(
                CommandResult.Done,
                station,
                FormattableString.Invariant($"recipe '{recipe}': threshold {threshold}, before {before}"),
                known => known with { Thresholds = new Dictionary<string, double>(known.Thresholds) { [recipe] = threshold } }
            );
    }

    private CommandEffect Label(CommandOrder order, InspectionStation station)
    {
        var (part, label) = (order.Arguments.ResultId!, order.Arguments.Label!);
        if (!station.Labels.Contains(label))
        {
            return CommandEffect.Refused(RefusalCode.NotFound, $"the model has no such label; it has {string.Join(", ", station.Labels)}");
        }

        if (!ledger.Read(new LedgerQuery { Id = part, Station = order.Station }).Any())
        {
            return CommandEffect.Refused(RefusalCode.NotFound, "the ledger has no such part of this station");
        }

        var given = new PartLabel(order.Id, order.Station, part, label, order.Who, TimeProvider.System.GetUtcNow(), order.Arguments.Note);
        labels.Add(given);
        Labelled(given);
        return CommandEffect.Done($"{part} is labelled {label}");
    }

    private CommandEffect Picture(CommandOrder order)
    {
        if (findPicture(order.Station, order.Arguments.ResultId) is not { } picture)
        {
            return CommandEffect.Refused(RefusalCode.NotFound, "there is no picture of it here any more");
        }

        publishPicture(picture);
        return CommandEffect.Done(
            $"the picture of part {picture.Number} is on its way",
            ("resultId", picture.PartId),
            ("path", $"/v1/rejects/{Uri.EscapeDataString(picture.Station)}/{picture.Number}/crop.jpg")
        );
    }

    /// <summary>Done, and to hold over a restart too.</summary>
    private CommandEffect Kept(CommandResult result, InspectionStation station, string text, Func<StationOrders, StationOrders> change)
    {
        if (!result.IsDone)
        {
            return CommandEffect.Refused(RefusalCode.State, result.Refusal!);
        }

        try
        {
            orders.Change(station.Name, change);
        }
        catch (IOException e)
        {
            return CommandEffect.Done($"{text}; not for longer than until a restart, since the disk refused: {e.Message}");
        }

        return CommandEffect.Done(text);
    }

    private static CommandEffect Told(CommandResult result, string text) =>
        result.IsDone ? CommandEffect.Done(text) : CommandEffect.Refused(RefusalCode.State, result.Refusal!);

    private static string Standing(InspectionStation station) =>
        station.Alarms.Standing is { Count: > 0 } standing
            ? $"acknowledged; still there: {string.Join(", ", standing.Select(alarm => alarm.Name))}"
            : "acknowledged; no alarm stands";
}
