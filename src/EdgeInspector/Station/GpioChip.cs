using System.Globalization;
using System.Runtime.InteropServices;
using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>A request to the kernel: 0, or the error number. Tests answer in the kernel's place.</summary>
internal unsafe delegate int GpioCall(int fd, uint request, void* argument);

/// <summary>
/// A GPIO chip of the kernel, opened to find lines and to take them. Lines that were taken outlive it.
/// </summary>
internal sealed partial class GpioChip : IDisposable
{
    private const int NoEntry = 2; // ENOENT
    private const int NoAccess = 13; // EACCES
    private const int NotPermitted = 1; // EPERM
    private const int Busy = 16; // EBUSY
    private const int Invalid = 22; // EINVAL
    private const int NotThatDevice = 25; // ENOTTY
    private const int ReadWrite = 2;
    private const int CloseOnExec = 0x80000;
    private const string TooOld = "the kernel has no GPIO interface of version 2; use Linux 5.10 or later, built with CONFIG_GPIO_CDEV";

    private readonly int _fd;
    private readonly GpioCall _call;
    private readonly uint _lines;

    /// <summary>Takes over an open device.</summary>
    /// <param name="fd">The device; closed on disposal.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="call">How the kernel is asked.</param>
    /// <exception cref="SettingException">It is no GPIO chip.</exception>
    public GpioChip(int fd, string path, GpioCall call)
    {
        _fd = fd;
        _call = call;
        Path = path;
        var info = default(GpioUapi.ChipInfo);
        if (Ask(GpioUapi.GetChipInfo, ref info) != 0)
        {
            Dispose();
            throw new SettingException($"Sensors:Chip: {path} is no GPIO chip; take one of {Present()}.");
        }

        Label = info.Label.ToString();
        _lines = info.Lines;
    }

    /// <summary>Its device.</summary>
    public string Path { get; }

    /// <summary>What the driver calls it.</summary>
    public string Label { get; }

    /// <summary>Opens a chip by number, device or label.</summary>
    /// <exception cref="SettingException">There is none such, or this user may not open it.</exception>
    public static unsafe GpioChip Open(string chip)
    {
        if (int.TryParse(chip, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            chip = $"/dev/gpiochip{number}";
        }
        else if (chip.StartsWith("gpiochip", StringComparison.Ordinal))
        {
            chip = $"/dev/{chip}";
        }

        return chip.StartsWith('/') ? OpenDevice(chip) : OpenLabel(chip);
    }

    /// <summary>The offset of a line, by its name.</summary>
    /// <param name="name">As <c>gpioinfo</c> shows it.</param>
    /// <param name="key">The key in the configuration, for messages.</param>
    /// <exception cref="SettingException">No line, or more than one, has the name.</exception>
    public uint Find(string name, string key)
    {
        uint? found = null;
        for (uint offset = 0; offset < _lines; offset++)
        {
            if (InfoOf(offset).Name.ToString() == name)
            {
                if (found is { } first)
                {
                    throw new SettingException(
                        $"{key}:Line: lines {first} and {offset} of {this} are both named {name}; give the offset as Pin."
                    );
                }

                found = offset;
            }
        }

        return found
            ?? throw new SettingException($"{key}:Line: {this} has no line named {name}; `gpioinfo` lists the names.");
    }

    /// <summary>Takes lines; gives the descriptor that their events come from, which is the caller's to close.</summary>
    /// <exception cref="SettingException">A line is not there, in use, or cannot tell edges.</exception>
    public int Take(IReadOnlyList<InputLine> lines)
    {
        foreach (var line in lines)
        {
            if (line.Offset >= _lines)
            {
                throw new SettingException($"{line.Key}: {this} has no line {line.Offset}, it has {_lines}; correct the offset.");
            }
        }

        var request = InputLine.RequestFor(lines);
        var error = Ask(GpioUapi.GetLine, ref request);
        if (error == 0)
        {
            return request.Fd;
        }

        if (error == Busy)
        {
            foreach (var line in lines)
            {
                var info = InfoOf(line.Offset);
                if ((info.Flags & GpioUapi.Used) != 0)
                {
                    throw new SettingException(
                        $"{line.Key}: line {line.Offset} of {this} is in use by '{info.Consumer}'; stop that or take another line."
                    );
                }
            }
        }

        var keys = string.Join(", ", lines.Select(line => line.Key).Distinct());
        throw new SettingException(
            error switch
            {
                NotThatDevice => $"Sensors:Chip: {this}: {TooOld}.",
                Busy => $"{keys}: a line of {this} is in use; `gpioinfo` names who has it.",
                Invalid =>
                    $"{keys}: {this} refuses the lines ({Text(error)}): a bias it does not know, or {TooOld}; try Bias AsIs.",
                _ =>
                    $"{keys}: {this} refuses the lines ({Text(error)}): not every line can tell edges; take others or another chip.",
            }
        );
    }

    /// <inheritdoc/>
    public override string ToString() => Label.Length == 0 ? Path : $"{Path} [{Label}]";

    /// <inheritdoc/>
    public void Dispose() => _ = Close(_fd);

    /// <summary>Asks the kernel itself.</summary>
    public static unsafe int AskKernel(int fd, uint request, void* argument) =>
        IoControl(fd, request, argument) < 0 ? Marshal.GetLastPInvokeError() : 0;

    private static unsafe GpioChip OpenDevice(string path)
    {
        var fd = OpenFile(path, ReadWrite | CloseOnExec);
        if (fd >= 0)
        {
            return new GpioChip(fd, path, AskKernel);
        }

        var error = Marshal.GetLastPInvokeError();
        throw new SettingException(
            error switch
            {
                NoEntry => $"Sensors:Chip: {path} does not exist; take one of {Present()}.",
                NoAccess or NotPermitted =>
                    $"Sensors:Chip: this user may not open {path}; add it to group gpio and start the service again.",
                _ => $"Sensors:Chip: {path} cannot be opened ({Text(error)}); check `gpiodetect`.",
            }
        );
    }

    private static unsafe GpioChip OpenLabel(string label)
    {
        List<GpioChip> found = [];
        foreach (var path in Devices())
        {
            var chip = OpenDevice(path);
            if (chip.Label == label)
            {
                found.Add(chip);
            }
            else
            {
                chip.Dispose();
            }
        }

        if (found is [var only])
        {
            return only;
        }

        found.ForEach(chip => chip.Dispose());
        throw new SettingException(
            found.Count == 0
                ? $"Sensors:Chip: no GPIO chip has the label {label}; take one of {Present()}."
                : $"Sensors:Chip: {string.Join(" and ", found.Select(chip => chip.Path))} both have the label {label}; give the device."
        );
    }

    private static IEnumerable<string> Devices() => Directory.GetFiles("/dev", "gpiochip*").Order(StringComparer.Ordinal);

    private static string Present()
    {
        var devices = Devices().ToList();
        return devices.Count == 0
            ? "those that `gpiodetect` lists (this machine has none)"
            : $"{string.Join(", ", devices)} (`gpiodetect` shows their labels)";
    }

    private static string Text(int error) => Marshal.GetPInvokeErrorMessage(error);

    private GpioUapi.LineInfo InfoOf(uint offset)
    {
        var info = new GpioUapi.LineInfo { Offset = offset };
        var error = Ask(GpioUapi.GetLineInfo, ref info);
        return error switch
        {
            0 => info,
            NotThatDevice or Invalid => throw new SettingException($"Sensors:Chip: {this}: {TooOld}."),
            _ => throw new SettingException($"Sensors:Chip: {this}: line {offset} cannot be asked ({Text(error)}); check `gpioinfo`."),
        };
    }

    private unsafe int Ask<T>(uint request, ref T argument)
        where T : unmanaged
    {
        fixed (T* pointer = &argument)
        {
            return _call(_fd, request, pointer);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int IoControl(int fd, nuint request, void* argument);
}
