using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeInspector.Publishing;

namespace EdgeInspector.Cli;

/// <summary><c>edge-inspector contract</c>: what the station says over MQTT, for those who read it.</summary>
internal static class ContractCommand
{
    public static Command Create() =>
        new("contract", "The MQTT contract: schemas, AsyncAPI document, access list, table.")
        {
            WriteVerb(),
            CheckVerb(),
            AclVerb(),
            TableVerb(),
        };

    private static Command WriteVerb()
    {
        var folder = new Option<string>("--out")
        {
            Description = "Folder for the AsyncAPI 3 document and a JSON Schema for each payload; files are replaced.",
            HelpName = "FOLDER",
            Required = true,
        };
        var command = new Command("write", "Writes the AsyncAPI document and the schemas.") { folder };
        command.SetAction(
            (parsed, _) =>
                CommandLine.TellFaultsAsync(() =>
                {
                    var target = parsed.GetValue(folder)!;
                    try
                    {
                        Directory.CreateDirectory(target);
                        foreach (var (name, text) in ContractDocuments.Files())
                        {
                            var path = Path.Combine(target, name);
                            File.WriteAllText(path + ".tmp", text);
                            File.Move(path + ".tmp", path, overwrite: true);
                        }
                    }
                    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                    {
                        throw new InvalidDataException($"--out {target}: cannot be written ({e.Message.TrimEnd('.')}); choose another", e);
                    }

                    return Task.FromResult(0);
                })
        );
        return command;
    }

    private static Command CheckVerb()
    {
        var against = new Argument<string>("file") { Description = "An asyncapi.json of an earlier version." };
        var command = new Command("check", "Tells what this version would break for readers of an earlier one; exit code 1 if anything.")
        {
            against,
        };
        command.SetAction(
            (parsed, _) =>
                CommandLine.TellFaultsAsync(() =>
                {
                    var breaks = ContractComparison.Breaks(Read(parsed.GetValue(against)!), ContractDocuments.AsyncApi());
                    foreach (var line in breaks)
                    {
                        Console.WriteLine(line);
                    }

                    return Task.FromResult(breaks.Count == 0 ? 0 : 1);
                })
        );
        return command;
    }

    private static Command AclVerb()
    {
        var area = new Option<string>("--area")
        {
            Description = "Enterprise, site and area, each a name or + for any.",
            HelpName = "PATH",
            DefaultValueFactory = _ => "+/+/+",
        };
        var command = new Command("acl", "Prints the access list of a mosquitto 2: a device's rights and those of each role.")
        {
            area,
        };
        command.SetAction(
            (parsed, _) =>
                CommandLine.TellFaultsAsync(() =>
                {
                    var path = parsed.GetValue(area)!;
                    if (path.Split('/') is not { Length: 3 } levels || Array.Exists(levels, level => level.Length == 0 || level.Contains('#')))
                    {
                        throw new InvalidDataException($"--area {path}: must be enterprise/site/area, each a name or +");
                    }

                    Console.Write(ContractDocuments.AccessList(path));
                    return Task.FromResult(0);
                })
        );
        return command;
    }

    private static Command TableVerb()
    {
        var command = new Command("table", "Prints the table of messages and commands as Markdown.");
        command.SetAction(_ => Console.Write(ContractDocuments.Table()));
        return command;
    }

    private static JsonObject Read(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) as JsonObject
                ?? throw new InvalidDataException($"{path}: is no AsyncAPI document");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path}: cannot be read ({e.Message.TrimEnd('.')})", e);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: is no JSON (line {e.LineNumber + 1})", e);
        }
    }
}
