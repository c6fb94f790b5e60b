using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace EdgeInspector.Station;

/// <summary>
/// The kernel's GPIO character device, interface version 2 (Linux 5.10 and later): structures, flags and request numbers of
/// <c>linux/gpio.h</c>, laid out as there. A test compares every size, offset and number with the header's own.
/// </summary>
internal static class GpioUapi
{
    /// <summary>Bytes of a name, with its closing zero.</summary>
    public const int NameSize = 32;

    /// <summary>Most lines of one request.</summary>
    public const int MostLines = 64;

    /// <summary>Most attributes of one request: groups of lines that differ from the rest in flags or debounce.</summary>
    public const int MostAttributes = 10;

    /// <summary>Lines with this flag are in use by somebody.</summary>
    public const ulong Used = 1 << 0;

    /// <summary>The line is active when its level is low.</summary>
    public const ulong ActiveLow = 1 << 1;

    /// <summary>The line is an input.</summary>
    public const ulong Input = 1 << 2;

    /// <summary>Tell edges from inactive to active.</summary>
    public const ulong EdgeRising = 1 << 4;

    /// <summary>Tell edges from active to inactive.</summary>
    public const ulong EdgeFalling = 1 << 5;

    /// <summary>Pull the line up.</summary>
    public const ulong BiasPullUp = 1 << 8;

    /// <summary>Pull the line down.</summary>
    public const ulong BiasPullDown = 1 << 9;

    /// <summary>Leave the line to the sensor's own driver.</summary>
    public const ulong BiasDisabled = 1 << 10;

    /// <summary>An attribute that replaces the flags of some lines.</summary>
    public const uint AttributeFlags = 1;

    /// <summary>An attribute that sets the debounce period of some lines, microseconds.</summary>
    public const uint AttributeDebounce = 3;

    /// <summary>An event's id: the line became active.</summary>
    public const uint EventRising = 1;

    /// <summary>An event's id: the line became inactive.</summary>
    public const uint EventFalling = 2;

    /// <summary>GPIO_GET_CHIPINFO_IOCTL: name, label and number of lines of a chip.</summary>
    public static readonly uint GetChipInfo = Request(direction: 2, 0x01, Unsafe.SizeOf<ChipInfo>());

    /// <summary>GPIO_V2_GET_LINEINFO_IOCTL: name, consumer and flags of a line.</summary>
    public static readonly uint GetLineInfo = Request(direction: 3, 0x05, Unsafe.SizeOf<LineInfo>());

    /// <summary>GPIO_V2_GET_LINE_IOCTL: takes lines and gives the file descriptor that events come from.</summary>
    public static readonly uint GetLine = Request(direction: 3, 0x07, Unsafe.SizeOf<LineRequest>());

    /// <summary>GPIO_V2_LINE_GET_VALUES_IOCTL: the present values of requested lines.</summary>
    public static readonly uint GetValues = Request(direction: 3, 0x0E, Unsafe.SizeOf<LineValues>());

    // asm-generic/ioctl.h, as on x86, ARM and RISC-V: direction (1 write, 2 read), size, type, number.
    private static uint Request(uint direction, uint number, int size) =>
        (direction << 30) | ((uint)size << 16) | (0xB4u << 8) | number;

    /// <summary>struct gpiochip_info.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ChipInfo
    {
        public Name Name;
        public Name Label;
        public uint Lines;
    }

    /// <summary>struct gpio_v2_line_attribute; the union holds flags or, in its lower half, the debounce period.</summary>
    [StructLayout(LayoutKind.Explicit)]
    internal struct LineAttribute
    {
        [FieldOffset(0)]
        public uint Id;

        [FieldOffset(4)]
        public uint Padding;

        [FieldOffset(8)]
        public ulong Flags;

        [FieldOffset(8)]
        public uint DebounceMicroseconds;
    }

    /// <summary>struct gpio_v2_line_config_attribute: an attribute and the lines it is for, one bit a line of the request.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ConfigAttribute
    {
        public LineAttribute Attribute;
        public ulong Mask;
    }

    /// <summary>struct gpio_v2_line_config.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineConfig
    {
        public ulong Flags;
        public uint AttributeCount;
        public Five Padding;
        public ConfigAttributes Attributes;
    }

    /// <summary>struct gpio_v2_line_request.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineRequest
    {
        public Offsets Offsets;
        public Name Consumer;
        public LineConfig Config;
        public uint LineCount;
        public uint EventBufferSize;
        public Five Padding;
        public int Fd;
    }

    /// <summary>struct gpio_v2_line_info.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineInfo
    {
        public Name Name;
        public Name Consumer;
        public uint Offset;
        public uint AttributeCount;
        public ulong Flags;
        public LineAttributes Attributes;
        public Four Padding;
    }

    /// <summary>struct gpio_v2_line_values: bit n is line n of the request, 1 is active.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineValues
    {
        public ulong Bits;
        public ulong Mask;
    }

    /// <summary>struct gpio_v2_line_event.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineEvent
    {
        /// <summary>CLOCK_MONOTONIC, as no other clock is asked for.</summary>
        public ulong TimestampNanoseconds;

        /// <summary><see cref="EventRising"/> or <see cref="EventFalling"/>.</summary>
        public uint Id;

        /// <summary>The line, by its offset on the chip.</summary>
        public uint Offset;

        /// <summary>Counts the interrupts of all lines of the request, from 1; wraps.</summary>
        public uint Sequence;

        /// <summary>Counts the events of this line, from 1; wraps.</summary>
        public uint LineSequence;

        public Six Padding;
    }

    /// <summary>A name of at most 31 bytes, closed by zero.</summary>
    [InlineArray(NameSize)]
    internal struct Name
    {
        private byte _first;

        /// <summary>Makes a name; what does not fit is cut.</summary>
        public static Name From(string text)
        {
            var name = default(Name);
            Span<byte> bytes = name;
            Encoding.UTF8.GetEncoder().Convert(text, bytes[..(NameSize - 1)], flush: true, out _, out _, out _);
            return name;
        }

        public override readonly string ToString()
        {
            ReadOnlySpan<byte> bytes = this;
            var end = bytes.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        }
    }

    /// <summary>Line offsets on the chip.</summary>
    [InlineArray(MostLines)]
    internal struct Offsets
    {
        private uint _first;
    }

    /// <summary>Attributes of a configuration.</summary>
    [InlineArray(MostAttributes)]
    internal struct ConfigAttributes
    {
        private ConfigAttribute _first;
    }

    /// <summary>Attributes of a line.</summary>
    [InlineArray(MostAttributes)]
    internal struct LineAttributes
    {
        private LineAttribute _first;
    }

    /// <summary>Four words that must be zero.</summary>
    [InlineArray(4)]
    internal struct Four
    {
        private uint _first;
    }

    /// <summary>Five words that must be zero.</summary>
    [InlineArray(5)]
    internal struct Five
    {
        private uint _first;
    }

    /// <summary>Six words that must be zero.</summary>
    [InlineArray(6)]
    internal struct Six
    {
        private uint _first;
    }
}
