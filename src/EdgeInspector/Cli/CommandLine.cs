using System.CommandLine;
using EdgeInspector.Capture;
using EdgeInspector.Configuration;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Vision;

namespace EdgeInspector.Cli;

/// <summary>What the verbs that run stations share: configuration options, and how a fault is told.</summary>
internal static class CommandLine
{
    /// <summary>Exit code for something that the user can put right.</summary>
    public const int UserFault = 2;

    /// <summary><c>--config FILE</c>, repeatable.</summary>
    public static Option<string[]> Config() =>
        new("--config")
        {
            Description = "Read this JSON file after appsettings.json and /etc/edge-inspector/*.json. Repeatable.",
            HelpName = "FILE",
        };

    /// <summary><c>--set KEY=VALUE</c>, repeatable.</summary>
    public static Option<string[]> Set() =>
        new("--set")
        {
            Description = "Set one key, such as --set Stations:0:Belt:Speed=0.6. Strongest of all sources. Repeatable.",
            HelpName = "KEY=VALUE",
        };

    /// <summary>Reads configuration; on faults prints every one of them and returns null.</summary>
    public static ConfigurationResult<EdgeInspectorOptions>? Load(ConfigurationInputs inputs)
    {
        var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(inputs);
        foreach (var fault in loaded.Faults)
        {
            Console.Error.WriteLine($"edge-inspector: {fault}");
        }

        return loaded.IsSound ? loaded : null;
    }

    /// <summary>Whether an exception's message is one line made for the user.</summary>
    public static bool IsForUser(Exception fault) =>
        fault
            is SettingException
                or LedgerException
                or VisionException
                or CameraException
                or InvalidDataException
                or DirectoryNotFoundException
                or FileNotFoundException;

    /// <summary>Runs a verb; a fault made for the user becomes one line on standard error and <see cref="UserFault"/>.</summary>
    public static async Task<int> TellFaultsAsync(Func<Task<int>> verb)
    {
        try
        {
            return await verb().ConfigureAwait(false);
        }
        catch (Exception fault) when (IsForUser(fault))
        {
            await Console.Error.WriteLineAsync($"edge-inspector: {fault.Message.ReplaceLineEndings(" ")}").ConfigureAwait(false);
            return UserFault;
        }
    }
}
