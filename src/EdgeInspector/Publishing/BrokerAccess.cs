using EdgeInspector.Line;

namespace EdgeInspector.Publishing;

/// <summary>Who a connection to the embedded broker belongs to.</summary>
/// <param name="Name">User name.</param>
/// <param name="Role">What they may, as a person.</param>
/// <param name="IsStation">Whether they speak for stations instead.</param>
internal sealed record BrokerAccount(string Name, Role Role, bool IsStation);

/// <summary>
/// Who may say and hear what at the embedded broker: what <c>firmware-config/mosquitto</c> grants at a plant's, from the same table.
/// Topics outside the contract are nobody's.
/// </summary>
internal static class BrokerAccess
{
    /// <summary>
    /// Whether an account may publish to a topic: stations what stations say, people what their role lets them ask. Nothing is retained
    /// that the contract does not retain: a retained command would be done again at each connection.
    /// </summary>
    public static bool MayPublish(BrokerAccount account, string topic, bool retain)
    {
        if (Topics.SuffixOf(topic) is not { } suffix || Contract.Match(suffix) is not ({ } kind, _) || (retain && !kind.Retain))
        {
            return false;
        }

        return account.IsStation ? !kind.IsInbound : Contract.MayPublish(account.Role, suffix);
    }

    /// <summary>Whether an account is given messages of a topic: stations what they are asked, people what stations say.</summary>
    public static bool MayHear(BrokerAccount account, string topic) =>
        Topics.SuffixOf(topic) is { } suffix
        && Contract.Match(suffix) is ({ } kind, _)
        && kind.IsInbound == account.IsStation;
}
