using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

/// <summary>Our layout of the kernel's structures beside the one that a C compiler makes of linux/gpio.h.</summary>
public sealed class GpioUapiTests
{
    private const string Program = """
        #include <linux/gpio.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <string.h>
        #define S(t) printf("%s %zu\n", #t, sizeof(struct t))
        #define F(t, f) printf("%s.%s %zu\n", #t, #f, offsetof(struct t, f))
        #define N(n) printf("%s %llu\n", #n, (unsigned long long)(n))
        static void bytes(const char *name, const void *at, size_t size) {
            printf("%s ", name);
            for (size_t i = 0; i < size; i++) printf("%02X", ((const unsigned char *)at)[i]);
            printf("\n");
        }
        int main(void) {
            S(gpiochip_info); F(gpiochip_info, label); F(gpiochip_info, lines);
            S(gpio_v2_line_attribute); F(gpio_v2_line_attribute, padding); F(gpio_v2_line_attribute, flags);
            F(gpio_v2_line_attribute, debounce_period_us);
            S(gpio_v2_line_config_attribute); F(gpio_v2_line_config_attribute, mask);
            S(gpio_v2_line_config); F(gpio_v2_line_config, num_attrs); F(gpio_v2_line_config, padding); F(gpio_v2_line_config, attrs);
            S(gpio_v2_line_request); F(gpio_v2_line_request, consumer); F(gpio_v2_line_request, config);
            F(gpio_v2_line_request, num_lines); F(gpio_v2_line_request, event_buffer_size); F(gpio_v2_line_request, fd);
            S(gpio_v2_line_info); F(gpio_v2_line_info, consumer); F(gpio_v2_line_info, offset); F(gpio_v2_line_info, num_attrs);
            F(gpio_v2_line_info, flags); F(gpio_v2_line_info, attrs);
            S(gpio_v2_line_values); F(gpio_v2_line_values, mask);
            S(gpio_v2_line_event); F(gpio_v2_line_event, id); F(gpio_v2_line_event, offset); F(gpio_v2_line_event, seqno);
            F(gpio_v2_line_event, line_seqno);
            N(GPIO_GET_CHIPINFO_IOCTL); N(GPIO_V2_GET_LINEINFO_IOCTL); N(GPIO_V2_GET_LINE_IOCTL); N(GPIO_V2_LINE_GET_VALUES_IOCTL);
            N(GPIO_V2_LINE_FLAG_USED); N(GPIO_V2_LINE_FLAG_ACTIVE_LOW); N(GPIO_V2_LINE_FLAG_INPUT); N(GPIO_V2_LINE_FLAG_EDGE_RISING);
            N(GPIO_V2_LINE_FLAG_EDGE_FALLING); N(GPIO_V2_LINE_FLAG_BIAS_PULL_UP); N(GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN);
            N(GPIO_V2_LINE_FLAG_BIAS_DISABLED); N(GPIO_V2_LINE_ATTR_ID_FLAGS); N(GPIO_V2_LINE_ATTR_ID_DEBOUNCE);
            N(GPIO_V2_LINE_EVENT_RISING_EDGE); N(GPIO_V2_LINE_EVENT_FALLING_EDGE);
            N(GPIO_MAX_NAME_SIZE); N(GPIO_V2_LINES_MAX); N(GPIO_V2_LINE_NUM_ATTRS_MAX);

            struct gpio_v2_line_request r;
            memset(&r, 0, sizeof r);
            r.offsets[0] = 106; r.offsets[1] = 124; r.offsets[2] = 7; r.offsets[3] = 105;
            strcpy(r.consumer, "edge-inspector");
            unsigned long long both = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
            r.config.flags = both;
            r.config.num_attrs = 3;
            r.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_FLAGS;
            r.config.attrs[0].attr.flags = both | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN | GPIO_V2_LINE_FLAG_ACTIVE_LOW;
            r.config.attrs[0].mask = 1 << 2;
            r.config.attrs[1].attr.id = GPIO_V2_LINE_ATTR_ID_FLAGS;
            r.config.attrs[1].attr.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING;
            r.config.attrs[1].mask = 1 << 3;
            r.config.attrs[2].attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
            r.config.attrs[2].attr.debounce_period_us = 10000;
            r.config.attrs[2].mask = 1 << 2;
            r.num_lines = 4;
            r.event_buffer_size = 1024;
            bytes("request", &r, sizeof r);

            struct gpio_v2_line_event e;
            memset(&e, 0, sizeof e);
            e.timestamp_ns = 123456789012345ull; e.id = GPIO_V2_LINE_EVENT_FALLING_EDGE; e.offset = 106; e.seqno = 77; e.line_seqno = 5;
            bytes("event", &e, sizeof e);
            return 0;
        }
        """;

    [Fact]
    public void StructuresLieAsTheHeaderSays()
    {
        var header = Compile();
        Dictionary<string, string> ours = new()
        {
            ["gpiochip_info"] = Size<GpioUapi.ChipInfo>(),
            ["gpiochip_info.label"] = At((ref GpioUapi.ChipInfo s) => ref s.Label),
            ["gpiochip_info.lines"] = At((ref GpioUapi.ChipInfo s) => ref s.Lines),
            ["gpio_v2_line_attribute"] = Size<GpioUapi.LineAttribute>(),
            ["gpio_v2_line_attribute.padding"] = At((ref GpioUapi.LineAttribute s) => ref s.Padding),
            ["gpio_v2_line_attribute.flags"] = At((ref GpioUapi.LineAttribute s) => ref s.Flags),
            ["gpio_v2_line_attribute.debounce_period_us"] = At((ref GpioUapi.LineAttribute s) => ref s.DebounceMicroseconds),
            ["gpio_v2_line_config_attribute"] = Size<GpioUapi.ConfigAttribute>(),
            ["gpio_v2_line_config_attribute.mask"] = At((ref GpioUapi.ConfigAttribute s) => ref s.Mask),
            ["gpio_v2_line_config"] = Size<GpioUapi.LineConfig>(),
            ["gpio_v2_line_config.num_attrs"] = At((ref GpioUapi.LineConfig s) => ref s.AttributeCount),
            ["gpio_v2_line_config.padding"] = At((ref GpioUapi.LineConfig s) => ref s.Padding),
            ["gpio_v2_line_config.attrs"] = At((ref GpioUapi.LineConfig s) => ref s.Attributes),
            ["gpio_v2_line_request"] = Size<GpioUapi.LineRequest>(),
            ["gpio_v2_line_request.consumer"] = At((ref GpioUapi.LineRequest s) => ref s.Consumer),
            ["gpio_v2_line_request.config"] = At((ref GpioUapi.LineRequest s) => ref s.Config),
            ["gpio_v2_line_request.num_lines"] = At((ref GpioUapi.LineRequest s) => ref s.LineCount),
            ["gpio_v2_line_request.event_buffer_size"] = At((ref GpioUapi.LineRequest s) => ref s.EventBufferSize),
            ["gpio_v2_line_request.fd"] = At((ref GpioUapi.LineRequest s) => ref s.Fd),
            ["gpio_v2_line_info"] = Size<GpioUapi.LineInfo>(),
            ["gpio_v2_line_info.consumer"] = At((ref GpioUapi.LineInfo s) => ref s.Consumer),
            ["gpio_v2_line_info.offset"] = At((ref GpioUapi.LineInfo s) => ref s.Offset),
            ["gpio_v2_line_info.num_attrs"] = At((ref GpioUapi.LineInfo s) => ref s.AttributeCount),
            ["gpio_v2_line_info.flags"] = At((ref GpioUapi.LineInfo s) => ref s.Flags),
            ["gpio_v2_line_info.attrs"] = At((ref GpioUapi.LineInfo s) => ref s.Attributes),
            ["gpio_v2_line_values"] = Size<GpioUapi.LineValues>(),
            ["gpio_v2_line_values.mask"] = At((ref GpioUapi.LineValues s) => ref s.Mask),
            ["gpio_v2_line_event"] = Size<GpioUapi.LineEvent>(),
            ["gpio_v2_line_event.id"] = At((ref GpioUapi.LineEvent s) => ref s.Id),
            ["gpio_v2_line_event.offset"] = At((ref GpioUapi.LineEvent s) => ref s.Offset),
            ["gpio_v2_line_event.seqno"] = At((ref GpioUapi.LineEvent s) => ref s.Sequence),
            ["gpio_v2_line_event.line_seqno"] = At((ref GpioUapi.LineEvent s) => ref s.LineSequence),
            ["GPIO_GET_CHIPINFO_IOCTL"] = $"{GpioUapi.GetChipInfo}",
            ["GPIO_V2_GET_LINEINFO_IOCTL"] = $"{GpioUapi.GetLineInfo}",
            ["GPIO_V2_GET_LINE_IOCTL"] = $"{GpioUapi.GetLine}",
            ["GPIO_V2_LINE_GET_VALUES_IOCTL"] = $"{GpioUapi.GetValues}",
            ["GPIO_V2_LINE_FLAG_USED"] = $"{GpioUapi.Used}",
            ["GPIO_V2_LINE_FLAG_ACTIVE_LOW"] = $"{GpioUapi.ActiveLow}",
            ["GPIO_V2_LINE_FLAG_INPUT"] = $"{GpioUapi.Input}",
            ["GPIO_V2_LINE_FLAG_EDGE_RISING"] = $"{GpioUapi.EdgeRising}",
            ["GPIO_V2_LINE_FLAG_EDGE_FALLING"] = $"{GpioUapi.EdgeFalling}",
            ["GPIO_V2_LINE_FLAG_BIAS_PULL_UP"] = $"{GpioUapi.BiasPullUp}",
            ["GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN"] = $"{GpioUapi.BiasPullDown}",
            ["GPIO_V2_LINE_FLAG_BIAS_DISABLED"] = $"{GpioUapi.BiasDisabled}",
            ["GPIO_V2_LINE_ATTR_ID_FLAGS"] = $"{GpioUapi.AttributeFlags}",
            ["GPIO_V2_LINE_ATTR_ID_DEBOUNCE"] = $"{GpioUapi.AttributeDebounce}",
            ["GPIO_V2_LINE_EVENT_RISING_EDGE"] = $"{GpioUapi.EventRising}",
            ["GPIO_V2_LINE_EVENT_FALLING_EDGE"] = $"{GpioUapi.EventFalling}",
            ["GPIO_MAX_NAME_SIZE"] = $"{GpioUapi.NameSize}",
            ["GPIO_V2_LINES_MAX"] = $"{GpioUapi.MostLines}",
            ["GPIO_V2_LINE_NUM_ATTRS_MAX"] = $"{GpioUapi.MostAttributes}",
        };
        header.Remove("request");
        header.Remove("event");
        Assert.Equal(header.OrderBy(entry => entry.Key), ours.OrderBy(entry => entry.Key));
    }

    [Fact]
    public void RequestIsTheOneThatCWouldMakeByteForByte()
    {
        var header = Compile();
        var sensors = new SensorOptions
        {
            EntryEyes = [new EyeOptions { Pin = 106 }],
            ConfirmEyes = [new EyeOptions { Line = "CHUTE" }],
            Door = new ContactOptions { Pin = 7 },
        };
        var lines = InputLine.Plan(sensors, new EncoderOptions { Pin = 105 }, (name, _) => name == "CHUTE" ? 124u : 0);
        var request = InputLine.RequestFor(lines);
        Assert.Equal(header["request"], Convert.ToHexString(MemoryMarshal.AsBytes(new Span<GpioUapi.LineRequest>(ref request))));

        var edge = new GpioUapi.LineEvent
        {
            TimestampNanoseconds = 123456789012345,
            Id = GpioUapi.EventFalling,
            Offset = 106,
            Sequence = 77,
            LineSequence = 5,
        };
        Assert.Equal(header["event"], Convert.ToHexString(MemoryMarshal.AsBytes(new Span<GpioUapi.LineEvent>(ref edge))));
    }

    [Fact]
    public void MoreKindsOfInputThanOneRequestTakesAreRefused()
    {
        var sensors = new SensorOptions
        {
            EntryEyes = [.. Enumerable.Range(1, 11).Select(i => new EyeOptions { Pin = i, Debounce = TimeSpan.FromMilliseconds(i) })],
        };
        var lines = InputLine.Plan(sensors, null, (_, _) => 0);
        Assert.Contains("11 different", Assert.Throws<SettingException>(() => InputLine.RequestFor(lines)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TwoInputsOnOneLineAreRefusedThoughOneIsNamed()
    {
        var sensors = new SensorOptions { EntryEyes = [new EyeOptions { Pin = 4 }], ConfirmEyes = [new EyeOptions { Line = "X" }] };
        var fault = Assert.Throws<SettingException>(() => InputLine.Plan(sensors, null, (_, _) => 4));
        Assert.Contains("Sensors:ConfirmEyes:0", fault.Message, StringComparison.Ordinal);
    }

    private static string Size<T>()
        where T : unmanaged => $"{Unsafe.SizeOf<T>()}";

    private delegate ref TField Field<T, TField>(ref T of);

    private static string At<T, TField>(Field<T, TField> field)
        where T : unmanaged
    {
        var value = default(T);
        return $"{Unsafe.ByteOffset(ref Unsafe.As<T, byte>(ref value), ref Unsafe.As<TField, byte>(ref field(ref value)))}";
    }

    private static Dictionary<string, string> Compile()
    {
        if (!File.Exists("/usr/bin/gcc") || !File.Exists("/usr/include/linux/gpio.h"))
        {
            Assert.Skip("needs gcc and linux/gpio.h (packages gcc and linux-libc-dev)");
        }

        using var folder = new TempFolder();
        var source = Path.Combine(folder.Path, "layout.c");
        var program = Path.Combine(folder.Path, "layout");
        File.WriteAllText(source, Program);
        Output("gcc", "-Wall", "-Werror", "-o", program, source);
        return Output(program).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToDictionary(word => word[0], word => word[1]);
    }

    private static string Output(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
