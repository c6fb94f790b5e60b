using System.Net;

namespace EdgeInspector.Web;

/// <summary>
/// Counts wrong tokens by address: beyond <see cref="Most"/> a minute the answer is 429. A right token is let in all the
/// same: it cannot be guessed, and somebody who shouts at the door must not keep the operator from the pause button. Any
/// thread.
/// </summary>
internal sealed class FailureLimit(TimeProvider time)
{
    /// <summary>Wrong tokens a minute: more than a person mistypes.</summary>
    public const int Most = 10;

    /// <summary>Addresses that are counted apart; when there are more, the counting begins anew.</summary>
    private const int MostAddresses = 1000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, (DateTimeOffset Since, int Count)> _byAddress = [];

    /// <summary>Counts a wrong token; true when there were too many.</summary>
    public bool Enter(IPAddress? address)
    {
        var from = address ?? IPAddress.None;
        var now = time.GetUtcNow();
        lock (_gate)
        {
            if (_byAddress.Count >= MostAddresses && !_byAddress.ContainsKey(from))
            {
                _byAddress.Clear();
            }

            var (since, count) = _byAddress.GetValueOrDefault(from);
            if (count == 0 || now - since > Window || now < since)
            {
                (since, count) = (now, 0);
            }

            _byAddress[from] = (since, count + 1);
            return count + 1 > Most;
        }
    }
}
