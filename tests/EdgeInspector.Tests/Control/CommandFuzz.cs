using System.Globalization;
using System.Text;
using EdgeInspector.Line;

namespace EdgeInspector.Tests.Control;

/// <summary>
/// Payloads that nobody may let in, from a seed: bytes of chance, commands with a part broken off, twisted, doubled or made
/// huge, foreign keys, wrong types, wrong times, wrong ids, verbs and stations that are not there, roles that may not.
/// </summary>
internal sealed class CommandFuzz(int seed)
{
    private static readonly string[] Words =
    [
        "id", "expiresAt", "issuer", "arguments", "alarm", "recipe", "threshold", "pieces", "resultId", "label", "note", "lane",
        "role", "who", "__proto__", "$type", "station", "verb", "ID", "Id", "expires", "",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1e999", "\"\"", "\"x\"", "[]", "{}", "[[[[[[[[[[]]]]]]]]]]", "\"\\ud800\"", "\"\\u0000\"", "NaN",
        "\"../../etc/passwd\"", "\"'; DROP TABLE parts; --\"", "\"${jndi:ldap://x}\"", "99999999999999999999999", "\"%s%n\"", "0.5,",
        "/**/1", "\"\u202e\"", "{\"lane\":{}}",
    ];

    private readonly Random _random = new(seed);

    /// <summary>One that must be refused, whoever sends it.</summary>
    public (string Station, string Verb, byte[] Payload, Role Role) Next(DateTimeOffset now)
    {
        var verb = Pick(CommandVerb.All);
        var whole = Whole(verb, now, TimeSpan.FromSeconds(30));
        return _random.Next(14) switch
        {
            0 => ("biscuit-1", verb.Name, Noise(_random.Next(300)), Role.Admin),
            1 => ("biscuit-1", verb.Name, Utf8(whole)[..^_random.Next(1, whole.Length)], Role.Admin),
            2 => ("biscuit-1", verb.Name, Utf8(whole.Insert(_random.Next(whole.Length), "\0")), Role.Admin),
            3 => ("biscuit-1", verb.Name, Utf8(whole[..^1] + $",\"{Foreign()}\":{Pick(Values)}}}"), Role.Admin),
            4 => ("biscuit-1", verb.Name, Utf8(Whole(verb, now, TimeSpan.FromSeconds(-_random.Next(100_000)))), Role.Admin),
            5 => ("biscuit-1", verb.Name, Utf8(Whole(verb, now, TimeSpan.FromSeconds(_random.Next(3700, 10_000_000)))), Role.Admin),
            6 => ("biscuit-1", verb.Name, Utf8(whole), (Role)_random.Next((int)verb.Role)),
            7 => ("biscuit-1", Text(_random.Next(1, 40)), Utf8(whole), Role.Admin),
            8 => (Text(_random.Next(1, 40)), verb.Name, Utf8(whole), Role.Admin),
            9 => ("biscuit-1", verb.Name, Utf8(whole + new string(' ', 20_000)), Role.Admin),
            10 => ("biscuit-1", verb.Name, Utf8(whole.Replace("\"id\":\"", $"\"id\":\"{new string('x', 65)}", StringComparison.Ordinal)), Role.Admin),
            11 => ("biscuit-1", verb.Name, Utf8($"{{\"{Pick(Words)}\":{Pick(Values)},\"{Pick(Words)}\":{Pick(Values)}}}"), Role.Admin),
            12 => ("biscuit-1", verb.Name, Utf8(new string('[', _random.Next(1, 2000))), Role.Admin),
            _ => ("biscuit-1", "threshold", Utf8(Whole(CommandVerb.Mute, now, TimeSpan.FromSeconds(30))), Role.Admin),
        };
    }

    private string Whole(CommandVerb verb, DateTimeOffset now, TimeSpan life)
    {
        var arguments = verb.Name switch
        {
            "recipe" => ",\"arguments\":{\"recipe\":\"butter\"}",
            "threshold" => ",\"arguments\":{\"threshold\":0.5}",
            "label" => ",\"arguments\":{\"resultId\":\"a/b/1\",\"label\":\"hole\"}",
            "fire" => ",\"arguments\":{\"lane\":0}",
            _ => "",
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"id\":\"f-{_random.NextInt64()}\",\"expiresAt\":\"{now + life:O}\"{arguments}}}"
        );
    }

    // Not one of those that a command may have beside id and expiresAt.
    private string Foreign()
    {
        var word = Pick(Words);
        return word is "issuer" or "arguments" ? word + "s" : word;
    }

    private string Text(int length) => "?" + new string([.. Enumerable.Range(0, length).Select(_ => (char)_random.Next(1, 0x3000))]);

    private byte[] Noise(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
