using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>One line to be read, found on its chip.</summary>
/// <param name="Input">What it tells of; both channels of a quadrature encoder are <see cref="SensorInput.Encoder"/>.</param>
/// <param name="Lane">Eyes: which lane's.</param>
/// <param name="Key">The key in the configuration, for messages.</param>
/// <param name="Offset">Its offset on the chip.</param>
/// <param name="Flags">How it is requested.</param>
/// <param name="Debounce">Levels shorter than this are not told, microseconds.</param>
/// <param name="IsChannelB">Encoder: the second channel.</param>
internal readonly record struct InputLine(
    SensorInput Input,
    byte Lane,
    string Key,
    uint Offset,
    ulong Flags,
    uint Debounce,
    bool IsChannelB = false
)
{
    private const ulong BothEdges = GpioUapi.EdgeRising | GpioUapi.EdgeFalling;

    /// <summary>
    /// Events the kernel keeps while nobody reads: the most it grants (64 lines of 16 each, gpiolib-cdev.c). At 10,000 edges
    /// a second, a tenth of a second without a processor.
    /// </summary>
    private const uint BufferedEvents = 1024;

    /// <summary>Whether its level matters by itself, and not only its edges.</summary>
    public bool IsLevel => Input != SensorInput.Encoder;

    /// <summary>All lines that the options name. Line names are looked up with <paramref name="find"/>.</summary>
    /// <param name="sensors">Eyes and contacts.</param>
    /// <param name="encoder">The encoder, if there is one.</param>
    /// <param name="find">Gives the offset of the line of a name, for the key it stands under.</param>
    /// <exception cref="SettingException">Two keys name one line.</exception>
    public static IReadOnlyList<InputLine> Plan(
        SensorOptions sensors,
        EncoderOptions? encoder,
        Func<string, string, uint> find
    )
    {
        List<InputLine> lines = [];
        AddEyes(sensors.EntryEyes, SensorInput.EntryEye, nameof(sensors.EntryEyes));
        AddEyes(sensors.ConfirmEyes, SensorInput.ConfirmEye, nameof(sensors.ConfirmEyes));
        foreach (var (input, key, contact) in sensors.Contacts())
        {
            Add(contact, contact.IsActiveHigh(input), input, 0, $"Sensors:{key}");
        }

        if (encoder is not null)
        {
            const string Key = "Belt:Encoder";
            var flags = GpioUapi.Input | FlagOf(encoder.Bias) | (encoder.IsQuadrature ? BothEdges : GpioUapi.EdgeRising);
            lines.Add(new(SensorInput.Encoder, 0, Key, OffsetOf(encoder.Pin, encoder.Line, Key), flags, 0));
            if (encoder.IsQuadrature)
            {
                lines.Add(new(SensorInput.Encoder, 0, Key, OffsetOf(encoder.PinB, encoder.LineB, Key), flags, 0, IsChannelB: true));
            }
        }

        foreach (var shared in lines.GroupBy(line => line.Offset).Where(group => group.Count() > 1))
        {
            throw new SettingException(
                $"{shared.Last().Key}: line {shared.Key} is also used by {shared.First().Key}; every signal needs its own."
            );
        }

        return lines;

        void AddEyes(IList<EyeOptions> eyes, SensorInput input, string key)
        {
            for (byte lane = 0; lane < eyes.Count; lane++)
            {
                Add(eyes[lane], eyes[lane].BlockedHigh, input, lane, $"Sensors:{key}:{lane}");
            }
        }

        void Add(InputOptions options, bool activeHigh, SensorInput input, byte lane, string key) =>
            lines.Add(
                new(
                    input,
                    lane,
                    key,
                    OffsetOf(options.Pin, options.Line, key),
                    GpioUapi.Input | BothEdges | FlagOf(options.Bias) | (activeHigh ? 0 : GpioUapi.ActiveLow),
                    (uint)(options.Debounce.Ticks / TimeSpan.TicksPerMicrosecond)
                )
            );

        uint OffsetOf(int? pin, string? name, string key) => pin is { } offset ? (uint)offset : find(name!, key);
    }

    /// <summary>
    /// The request for all lines together: one file descriptor to wait for, and edges in the order in which they happened,
    /// whatever line they are on.
    /// </summary>
    /// <exception cref="SettingException">The kernel cannot take them in one request.</exception>
    public static GpioUapi.LineRequest RequestFor(IReadOnlyList<InputLine> lines)
    {
        if (lines.Count > GpioUapi.MostLines)
        {
            throw new SettingException(
                $"Sensors: {lines.Count} lines are more than the {GpioUapi.MostLines} that one request takes; leave some out."
            );
        }

        // The flags that most lines have are the request's own; every other set of flags and every debounce is an attribute.
        var common = lines.GroupBy(line => line.Flags).OrderByDescending(group => group.Count()).First().Key;
        List<GpioUapi.LineAttribute> attributes =
        [
            .. lines.Select(line => line.Flags).Distinct().Where(flags => flags != common)
                .Select(flags => new GpioUapi.LineAttribute { Id = GpioUapi.AttributeFlags, Flags = flags }),
            .. lines.Select(line => line.Debounce).Distinct().Where(period => period > 0)
                .Select(period => new GpioUapi.LineAttribute { Id = GpioUapi.AttributeDebounce, DebounceMicroseconds = period }),
        ];
        if (attributes.Count > GpioUapi.MostAttributes)
        {
            throw new SettingException(
                $"Sensors: {attributes.Count} different sets of bias, active level and debounce are more than the "
                    + $"{GpioUapi.MostAttributes} that one request takes; give some inputs the same."
            );
        }

        var request = new GpioUapi.LineRequest
        {
            Consumer = GpioUapi.Name.From("edge-inspector"),
            LineCount = (uint)lines.Count,
            EventBufferSize = BufferedEvents,
            Config = new GpioUapi.LineConfig { Flags = common, AttributeCount = (uint)attributes.Count },
        };
        for (var i = 0; i < lines.Count; i++)
        {
            request.Offsets[i] = lines[i].Offset;
        }

        for (var a = 0; a < attributes.Count; a++)
        {
            var attribute = attributes[a];
            var mask = 0UL;
            for (var i = 0; i < lines.Count; i++)
            {
                var has = attribute.Id == GpioUapi.AttributeFlags
                    ? lines[i].Flags == attribute.Flags
                    : lines[i].Debounce == attribute.DebounceMicroseconds;
                mask |= has ? 1UL << i : 0;
            }

            request.Config.Attributes[a] = new GpioUapi.ConfigAttribute { Attribute = attribute, Mask = mask };
        }

        return request;
    }

    private static ulong FlagOf(InputBias bias) =>
        bias switch
        {
            InputBias.PullUp => GpioUapi.BiasPullUp,
            InputBias.PullDown => GpioUapi.BiasPullDown,
            InputBias.Disabled => GpioUapi.BiasDisabled,
            _ => 0,
        };
}
