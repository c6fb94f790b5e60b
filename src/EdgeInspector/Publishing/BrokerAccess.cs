using EdgeInspector.Line;
using EdgeInspector.Publishing.Sparkplug;

namespace EdgeInspector.Publishing;

/// <summary>Who a connection to the embedded broker belongs to.</summary>
/// <param name="Name">User name.</param>
/// <param name="Role">What they may, as a person.</param>
/// <param name="IsStation">Whether they speak for stations instead.</param>
internal sealed record BrokerAccount(string Name, Role Role, bool IsStation);

/// <summary>
/// Who may say and hear what at the embedded broker: what <c>firmware-config/mosquitto</c> grants at a plant's, from the same table.
/// Topics outside the contract are nobody's, but for those of Home Assistant's discovery and of Sparkplug.
/// </summary>
internal static class BrokerAccess
{
    /// <summary>
    /// Whether an account may publish to a topic: stations what stations say, people what their role lets them ask. Nothing is retained
    /// that the contract does not retain: a retained command would be done again at each connection.
    /// </summary>
    public static bool MayPublish(BrokerAccount account, string topic, bool retain)
    {
        if (Neighbour(topic) is { } isOfStations)
        {
            return isOfStations == account.IsStation && (account.IsStation || (account.Role >= Role.Operator && !retain));
        }

        if (Topics.SuffixOf(topic) is not { } suffix || Contract.Match(suffix) is not ({ } kind, _) || (retain && !kind.Retain))
        {
            return false;
        }

        return account.IsStation ? !kind.IsInbound : Contract.MayPublish(account.Role, suffix);
    }

    /// <summary>Whether an account is given messages of a topic: stations what they are asked, people what stations say.</summary>
    public static bool MayHear(BrokerAccount account, string topic) =>
        Neighbour(topic) is { } isOfStations
            ? isOfStations != account.IsStation
            : Topics.SuffixOf(topic) is { } suffix
                && Contract.Match(suffix) is ({ } kind, _)
                && kind.IsInbound == account.IsStation;

    /// <summary>Whether stations say a topic of Home Assistant's discovery or of Sparkplug; null when it is neither's.</summary>
    private static bool? Neighbour(string topic) => HomeAssistantDiscovery.IsOfStations(topic) ?? SparkplugNode.IsOfStations(topic);
}
