using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Station;

/// <summary>One output of the panel and the line that drives it.</summary>
internal sealed class PanelOutputOptions
{
    /// <summary>GPIO line offset on the station's chip, 0 to 1023.</summary>
    [Range(0, 1023, ErrorMessage = "names no line; give the GPIO line offset, 0 to 1023")]
    public int Pin { get; set; } = -1;

    /// <summary>True, the default, when a high level switches it on.</summary>
    public bool ActiveHigh { get; set; } = true;
}

/// <summary>
/// What a station shows and asks of the line. All on the chip of the ejectors; leave out what is not fitted.
/// </summary>
internal sealed class PanelOptions
{
    /// <summary>
    /// Asks the line's own control to stop. Wire it so that the low level stops (<c>ActiveHigh: false</c>): then a cut wire
    /// does too.
    /// </summary>
    public PanelOutputOptions? LineStop { get; set; }

    /// <summary>
    /// Whether line stop is requested while the service is down or stopping. True: a line that nobody inspects stops. False:
    /// for a site that lets the line run and holds the product.
    /// </summary>
    public bool StopLineWhenDown { get; set; } = true;

    /// <summary>Stack light: it inspects.</summary>
    public PanelOutputOptions? Green { get; set; }

    /// <summary>Stack light: somebody should look.</summary>
    public PanelOutputOptions? Amber { get; set; }

    /// <summary>Stack light: the line is stopped, or the station cannot inspect.</summary>
    public PanelOutputOptions? Red { get; set; }

    /// <summary>Stack light: the operator is asked for something, a start or a challenge test.</summary>
    public PanelOutputOptions? Blue { get; set; }

    /// <summary>The buzzer.</summary>
    public PanelOutputOptions? Buzzer { get; set; }

    /// <summary>
    /// Energised while the station is to be trusted, and only then: power loss, a crash and a pulled plug all read as "not
    /// healthy". To be wired into the line's interlock.
    /// </summary>
    public PanelOutputOptions? Healthy { get; set; }

    /// <summary>
    /// A square wave of 1 Hz while every thread of the station lives. A killed process may leave <see cref="Healthy"/> at
    /// its last level, since some chips keep it; the wave stops for certain.
    /// </summary>
    public PanelOutputOptions? Heartbeat { get; set; }

    /// <summary>The pins in use, with the keys of their settings.</summary>
    internal IEnumerable<(string Pin, string Key)> Pins() => Fitted().Select(fitted => ($"{fitted.Options.Pin}", $"Panel:{fitted.Output}:Pin"));

    /// <summary>The outputs that are fitted, with the names of their settings.</summary>
    internal IEnumerable<(PanelOutput Output, PanelOutputOptions Options)> Fitted()
    {
        (PanelOutput, PanelOutputOptions?)[] all =
        [
            (PanelOutput.LineStop, LineStop),
            (PanelOutput.Green, Green),
            (PanelOutput.Amber, Amber),
            (PanelOutput.Red, Red),
            (PanelOutput.Blue, Blue),
            (PanelOutput.Buzzer, Buzzer),
            (PanelOutput.Healthy, Healthy),
            (PanelOutput.Heartbeat, Heartbeat),
        ];
        foreach (var (output, options) in all)
        {
            if (options is not null)
            {
                yield return (output, options);
            }
        }
    }
}
