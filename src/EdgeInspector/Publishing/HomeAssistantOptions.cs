using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Publishing;

/// <summary>Device discovery of Home Assistant. Section <c>HomeAssistant</c>.</summary>
internal sealed class HomeAssistantOptions
{
    /// <summary>
    /// Whether stations introduce themselves to Home Assistant. Off: a plant without one has no use for its topics, and a broker's
    /// access list has to grant them.
    /// </summary>
    public bool Enabled { get; set; }

    /// <summary>First level of its discovery topics; <c>homeassistant</c> unless it was changed there.</summary>
    [RegularExpression("^[A-Za-z0-9_-]{1,32}$", ErrorMessage = "must be 1 to 32 of A-Z, a-z, 0-9, '_' and '-'")]
    public string Prefix { get; set; } = "homeassistant";
}
