namespace EdgeInspector.Line;

/// <summary>What a command may and must say; names of <see cref="CommandArguments"/>.</summary>
[Flags]
internal enum CommandArgument
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><see cref="CommandArguments.Alarm"/>.</summary>
    Alarm = 1,

    /// <summary><see cref="CommandArguments.Recipe"/>.</summary>
    Recipe = 2,

    /// <summary><see cref="CommandArguments.Threshold"/>.</summary>
    Threshold = 4,

    /// <summary><see cref="CommandArguments.Pieces"/>.</summary>
    Pieces = 8,

    /// <summary><see cref="CommandArguments.ResultId"/>.</summary>
    ResultId = 16,

    /// <summary><see cref="CommandArguments.Label"/>.</summary>
    Label = 32,

    /// <summary><see cref="CommandArguments.Note"/>.</summary>
    Note = 64,

    /// <summary><see cref="CommandArguments.Lane"/>.</summary>
    Lane = 128,
}

/// <summary>One command: what it is called, who may give it, what it needs.</summary>
/// <param name="Name">Last level of its topic, <c>cmd/{Name}</c>, and <c>verb</c> over HTTP.</param>
/// <param name="Role">The least role. A broker's access list grants the topic to it and to those above.</param>
/// <param name="Summary">What it does, for documents.</param>
/// <param name="Needs">Arguments that must be there.</param>
/// <param name="Takes">Arguments that may be there beside them; all others are refused.</param>
internal sealed record CommandVerb(
    string Name,
    Role Role,
    string Summary,
    CommandArgument Needs = CommandArgument.None,
    CommandArgument Takes = CommandArgument.None
)
{
    /// <summary>Lets the line run.</summary>
    public static readonly CommandVerb Arm = new("arm", Role.Operator, "Lets the line run, once nothing speaks against it.");

    /// <summary>Ends the run.</summary>
    public static readonly CommandVerb Pause =
        new("pause", Role.Operator, "Ends the run: line stop is requested until it is armed again.");

    /// <summary>Somebody knows of an alarm.</summary>
    public static readonly CommandVerb Acknowledge = new(
        "acknowledge",
        Role.Operator,
        "Acknowledges one alarm, by name or number; all when none is named.",
        Takes: CommandArgument.Alarm
    );

    /// <summary>Silences the buzzer.</summary>
    public static readonly CommandVerb Mute = new("mute", Role.Operator, "Silences the buzzer until the next new alarm.");

    /// <summary>Changes the recipe.</summary>
    public static readonly CommandVerb ChangeRecipe = new(
        "recipe",
        Role.Operator,
        "Changes to another recipe: the belt runs empty, the recipe is swapped, the line goes on.",
        CommandArgument.Recipe
    );

    /// <summary>Asks for a picture.</summary>
    public static readonly CommandVerb Picture = new(
        "picture",
        Role.Operator,
        "Asks for the picture of a part; of the last one that did not pass, when none is named.",
        Takes: CommandArgument.ResultId
    );

    /// <summary>Starts a challenge test.</summary>
    public static readonly CommandVerb Challenge = new(
        "challenge",
        Role.Qa,
        "Starts a challenge test with these pieces; with those of the settings, when none are named.",
        Takes: CommandArgument.Pieces
    );

    /// <summary>Says what a part is.</summary>
    public static readonly CommandVerb LabelPart = new(
        "label",
        Role.Qa,
        "Says what a part really is.",
        CommandArgument.ResultId | CommandArgument.Label,
        CommandArgument.Note
    );

    /// <summary>Changes the defect threshold.</summary>
    public static readonly CommandVerb ChangeThreshold = new(
        "threshold",
        Role.Engineer,
        "Changes the defect threshold of the recipe in force, within the limits that the recipe sets.",
        CommandArgument.Threshold
    );

    /// <summary>Packs a diagnostic bundle.</summary>
    public static readonly CommandVerb Diagnostics = new("diagnostics", Role.Engineer, "Packs a diagnostic bundle.");

    /// <summary>Tries an ejector.</summary>
    public static readonly CommandVerb Fire = new(
        "fire",
        Role.Engineer,
        "Fires one ejector once, while the maintenance key at the panel is turned and at no other time.",
        CommandArgument.Lane
    );

    /// <summary>Every command, by role and name.</summary>
    public static readonly IReadOnlyList<CommandVerb> All =
    [
        Acknowledge, Arm, Mute, Pause, Picture, ChangeRecipe, Challenge, LabelPart, Diagnostics, Fire, ChangeThreshold,
    ];

    /// <summary>The command of this name; null when there is none.</summary>
    public static CommandVerb? Find(string name)
    {
        foreach (var verb in All)
        {
            if (verb.Name == name)
            {
                return verb;
            }
        }

        return null;
    }
}
