using EdgeInspector.Line;

namespace EdgeInspector.Publishing;

/// <summary>
/// The topic names of one station: <c>ei/v1/{enterprise}/{site}/{area}/{line}/{station}/…</c> in ISA-95 order. What comes after
/// is the <see cref="Contract"/>'s.
/// </summary>
internal sealed class Topics(PlantOptions plant, string station)
{
    /// <summary>Levels before those of the contract: ei, version, enterprise, site, area, line, station.</summary>
    public const int RootLevels = 7;

    /// <summary>What every topic of the station begins with, up to and including the slash.</summary>
    public string Root { get; } =
        $"ei/{Contract.Version}/{plant.Enterprise}/{plant.Site}/{plant.Area}/{plant.Line}/{Segment(station)}/";

    /// <summary>The topic of a kind without a parameter.</summary>
    public string Of(MessageKind kind) => Root + kind.Suffix;

    /// <summary>The topic of a kind with one.</summary>
    /// <param name="kind">A row of the contract.</param>
    /// <param name="parameter">For a picture, the part's id; otherwise one level.</param>
    public string Of(MessageKind kind, string? parameter) =>
        Root + kind.SuffixOf(parameter is null ? null : IdSegment(parameter));

    /// <summary>The filter for all messages of a kind.</summary>
    public string Filter(MessageKind kind) => Root + kind.Filter;

    /// <summary>
    /// A part's id as one topic level: <c>biscuit-1/20261123T144800Z/42</c> becomes <c>20261123T144800Z-42</c>, since
    /// the station stands in the topic already and one level lets <c>image/+</c> match.
    /// </summary>
    public string IdSegment(string partId) =>
        Segment(partId.StartsWith(station + "/", StringComparison.Ordinal) ? partId[(station.Length + 1)..] : partId);

    /// <summary>The levels after the station's name of any station's topic; null when it is no topic of ours.</summary>
    public static string? SuffixOf(string topic)
    {
        var at = 0;
        for (var level = 0; level < RootLevels; level++)
        {
            var end = topic.IndexOf('/', at);
            if (end <= at || (level == 0 && topic[..end] != "ei") || (level == 1 && topic[at..end] != Contract.Version))
            {
                return null;
            }

            at = end + 1;
        }

        return topic[at..];
    }

    private static string Segment(string text) =>
        string.Create(
            text.Length,
            text,
            static (span, from) =>
            {
                for (var i = 0; i < from.Length; i++)
                {
                    span[i] = char.IsAsciiLetterOrDigit(from[i]) || from[i] is '_' or '.' ? from[i] : '-';
                }
            }
        );
}
