using EdgeInspector.Line;

namespace EdgeInspector.Control;

/// <summary>A command that was let in: to be executed once.</summary>
/// <param name="Station">One that there is.</param>
/// <param name="Verb">What to do.</param>
/// <param name="Id">The command's id.</param>
/// <param name="Arguments">All that the verb needs, each within its range; nothing else.</param>
/// <param name="Who">Who gave it, as proven.</param>
internal sealed record CommandOrder(string Station, CommandVerb Verb, string Id, CommandArguments Arguments, string Who);

/// <summary>What came of executing it.</summary>
/// <param name="Code">One of <see cref="RefusalCode"/>; <see cref="RefusalCode.Done"/> when it was done.</param>
/// <param name="Text">One line for a person.</param>
/// <param name="Result">What the command was for.</param>
internal sealed record CommandEffect(string Code, string Text, IReadOnlyDictionary<string, string>? Result = null)
{
    /// <summary>Done, or begun.</summary>
    public static CommandEffect Done(string text, params (string Name, string Value)[] result) =>
        new(
            RefusalCode.Done,
            text,
            result.Length == 0 ? null : result.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal)
        );

    /// <summary>Not done.</summary>
    public static CommandEffect Refused(string code, string why) => new(code, why);
}

/// <summary>Executes a command. Called for one at a time; what it throws makes the command failed.</summary>
internal delegate ValueTask<CommandEffect> ExecuteCommand(CommandOrder order);
