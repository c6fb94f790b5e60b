using System.CommandLine;
using EdgeInspector.Configuration;
using EdgeInspector.Hosting;

namespace EdgeInspector.Cli;

/// <summary><c>run</c>: the service, under systemd or in a terminal, until it is told to stop.</summary>
internal static class RunCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        var config = CommandLine.Config();
        var set = CommandLine.Set();
        var check = new Option<bool>("--check") { Description = "Read and check the configuration, list every fault, and stop." };
        var command = new Command(
            "run",
            "Inspect: camera to ejector, until stopped. Configuration comes from appsettings.json, /etc/edge-inspector/*.json, "
                + "--config files, EDGEINSPECTOR_ environment variables and --set, the later the stronger."
        )
        {
            config,
            set,
            check,
        };
        command.SetAction(
            (parsed, cancellation) =>
                CommandLine.TellFaultsAsync(async () =>
                {
                    var loaded = CommandLine.Load(
                        new ConfigurationInputs
                        {
                            Files = parsed.GetValue(config) ?? [],
                            Settings = parsed.GetValue(set) ?? [],
                        }
                    );
                    if (loaded is null)
                    {
                        return CommandLine.UserFault;
                    }

                    if (parsed.GetValue(check))
                    {
                        Console.WriteLine($"The configuration is sound: {loaded.Value.Stations.Count} station(s).");
                        return 0;
                    }

                    return await RunAsync(loaded, cancellation).ConfigureAwait(false);
                })
        );
        return command;
    }

    private static async Task<int> RunAsync(
        ConfigurationResult<EdgeInspectorOptions> loaded,
        CancellationToken cancellation
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddConfiguration(loaded.Root.GetSection("Logging"));
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // What it would say at length is told in one line.
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        });
        var recent = new RecentLog(TimeProvider.System);
        builder.Logging.AddProvider(recent);
        builder.Services.AddSingleton(recent);
        builder.Services.AddSystemd();
        builder.Services.AddSingleton(loaded.Value);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<InspectionService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<InspectionService>());
        using var host = builder.Build();
        var service = host.Services.GetRequiredService<InspectionService>();
        await host.RunAsync(cancellation).ConfigureAwait(false);
        return service.ExitCode;
    }
}
