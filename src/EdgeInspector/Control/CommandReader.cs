using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeInspector.Line;

namespace EdgeInspector.Control;

/// <summary>From bytes to a command that says nothing but what its verb may, or to why not. Touches nothing else.</summary>
internal static class CommandReader
{
    /// <summary>Largest payload, bytes: the longest command there is has some 4 KB.</summary>
    public const int MaximumBytes = 16 * 1024;

    private static readonly (PropertyInfo Property, ValidationAttribute[] Rules)[] OfPayload = RulesOf(typeof(CommandPayload));
    private static readonly (PropertyInfo Property, ValidationAttribute[] Rules)[] OfArguments = RulesOf(typeof(CommandArguments));

    /// <summary>Reads a payload.</summary>
    /// <param name="verb">What it is for.</param>
    /// <param name="json">UTF-8.</param>
    /// <param name="command">The command, when there is no fault.</param>
    /// <param name="code">One of <see cref="RefusalCode"/>.</param>
    /// <param name="fault">One line.</param>
    public static bool TryRead(
        CommandVerb verb,
        ReadOnlySpan<byte> json,
        out CommandPayload command,
        out string code,
        out string fault
    )
    {
        (command, code, fault) = (null!, RefusalCode.Malformed, "");
        if (json.Length > MaximumBytes)
        {
            (code, fault) = (RefusalCode.TooLarge, $"the payload has {json.Length} bytes; a command has at most {MaximumBytes}");
            return false;
        }

        try
        {
            command = JsonSerializer.Deserialize(json, CommandJson.Default.CommandPayload)!;
        }
        catch (JsonException e)
        {
            fault = $"not the JSON of a command: {WhereAndWhat(e)}";
            return false;
        }

        if (command is null)
        {
            fault = "not the JSON of a command: null";
            return false;
        }

        code = RefusalCode.Invalid;
        if (FaultOf(verb, command) is { } wrong)
        {
            fault = wrong;
            return false;
        }

        return true;
    }

    private static string? FaultOf(CommandVerb verb, CommandPayload command)
    {
        var arguments = command.Arguments;
        if ((Broken(OfPayload, command) ?? (arguments is null ? null : Broken(OfArguments, arguments))) is { } broken)
        {
            return broken;
        }

        var given = arguments?.Given ?? CommandArgument.None;
        if ((verb.Needs & ~given) is not CommandArgument.None and var missing)
        {
            return $"{verb.Name} needs {Names(missing)}";
        }

        if ((given & ~(verb.Needs | verb.Takes)) is not CommandArgument.None and var foreign)
        {
            return $"{verb.Name} takes no {Names(foreign)}";
        }

        foreach (var piece in arguments?.Pieces ?? [])
        {
            if (piece?.Label is not { Length: >= 1 and <= 64 } label || !IsPrintable(label) || piece.Count is < 1 or > 100)
            {
                return "pieces: each is a label of at most 64 characters and a count of 1 to 100";
            }
        }

        return null;
    }

    private static string? Broken((PropertyInfo Property, ValidationAttribute[] Rules)[] rules, object value)
    {
        foreach (var (property, attributes) in rules)
        {
            var given = property.GetValue(value);
            if (given is string text && !IsPrintable(text))
            {
                return $"{NameOf(property)} has characters that cannot be shown";
            }

            foreach (var attribute in attributes)
            {
                if (given is not null && !attribute.IsValid(given))
                {
                    return $"{NameOf(property)} {Expectation(attribute)}";
                }
            }
        }

        return null;
    }

    private static (PropertyInfo, ValidationAttribute[])[] RulesOf(Type type) =>
        [
            .. type.GetProperties()
                .Select(property => (property, property.GetCustomAttributes<ValidationAttribute>().ToArray()))
                .Where(rule => rule.property.PropertyType == typeof(string) || rule.Item2.Length > 0),
        ];

    private static string Expectation(ValidationAttribute rule) =>
        rule switch
        {
            RangeAttribute range => FormattableString.Invariant($"must be {range.Minimum} to {range.Maximum}"),
            StringLengthAttribute length => $"must have {length.MinimumLength} to {length.MaximumLength} characters",
            MaxLengthAttribute length => $"must have at most {length.Length} entries",
            RegularExpressionAttribute => "may have letters, digits and . _ : + = / - only",
            _ => "is not valid",
        };

    private static string Names(CommandArgument arguments) =>
        string.Join(
            " and ",
            Enum.GetValues<CommandArgument>()
                .Where(one => one != CommandArgument.None && arguments.HasFlag(one))
                .Select(one => JsonNamingPolicy.CamelCase.ConvertName(one.ToString()))
        );

    private static string NameOf(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    // Lines of a log and cells of a table must stay what they are, whatever a stranger writes into them.
    private static bool IsPrintable(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\uFEFF' or (>= '\u202A' and <= '\u202E'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What the JSON reader says, without what the stranger wrote.</summary>
    private static string WhereAndWhat(JsonException e) =>
        $"line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}"
        + (e.Message.Contains("could not be mapped", StringComparison.Ordinal) ? ", a key that is not known here"
            : e.Message.Contains("missing required", StringComparison.Ordinal) ? ", id or expiresAt is missing"
            : e.Message.Contains("Duplicate", StringComparison.OrdinalIgnoreCase) ? ", a key that is there twice"
            : "");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 8
)]
[JsonSerializable(typeof(CommandPayload))]
[JsonSerializable(typeof(CommandArguments))]
internal sealed partial class CommandJson : JsonSerializerContext;
