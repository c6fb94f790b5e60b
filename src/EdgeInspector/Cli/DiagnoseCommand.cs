using System.CommandLine;
using System.Reflection;
using EdgeInspector.Configuration;
using EdgeInspector.Control;
using EdgeInspector.Hosting;
using EdgeInspector.Ledger;
using EdgeInspector.Line;

namespace EdgeInspector.Cli;

/// <summary>`diagnose`: a diagnostic bundle without the service, for a device whose service does not start.</summary>
internal static class DiagnoseCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        var config = CommandLine.Config();
        var set = CommandLine.Set();
        var to = new Option<string>("--to")
        {
            Description = "The bundle to write.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "edge-inspector-diagnostics.tar.gz",
        };
        var command = new Command(
            "diagnose",
            "Pack what somebody far away needs to understand this device: settings without secrets, alarms, ledger, versions. The "
                + "running service packs one with its state and its log: the command diagnostics."
        )
        {
            to,
            config,
            set,
        };
        command.SetAction(
            (parsed, _) =>
                CommandLine.TellFaultsAsync(() =>
                    Task.FromResult(Run(parsed.GetValue(to)!, parsed.GetValue(config) ?? [], parsed.GetValue(set) ?? []))
                )
        );
        return command;
    }

    private static int Run(string to, string[] files, string[] settings)
    {
        var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(new ConfigurationInputs { Files = files, Settings = settings });
        var options = loaded.Value;
        var now = TimeProvider.System.GetUtcNow();
        var version = typeof(DiagnoseCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var ledger = new LedgerReader(Path.Combine(options.DataFolder, "ledger.db"));
        try
        {
            var bundle = DiagnosticBundle.Pack(
                Path.GetFullPath(to),
                [
                    .. StationDiagnostics.Of(options, null, ledger, null, null, version ?? "unknown", now),
                    new(
                        "faults.txt",
                        () => System.Text.Encoding.UTF8.GetBytes(SettingsView.Redact(string.Join('\n', loaded.Faults) + "\n"))
                    ),
                ],
                now
            );
            Console.WriteLine($"{bundle.Path}, {bundle.Bytes} bytes");
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"--to: {to} cannot be written: {e.Message}", e);
        }
    }
}
