using System.CommandLine;
using EdgeInspector.Line;
using EdgeInspector.Web;

namespace EdgeInspector.Cli;

/// <summary>`token`: makes the tokens that commands over HTTP need.</summary>
internal static class TokenCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        var name = new Option<string>("--name")
        {
            Description = "Who gets it: stands in the audit log.",
            HelpName = "NAME",
            Required = true,
        };
        var role = new Option<Role>("--role") { Description = "What it lets them do.", Required = true };
        var file = new Option<string?>("--file")
        {
            Description = "Add it to this file (Web:TokenFile), which is made when missing. Without it, its line is shown.",
            HelpName = "FILE",
        };
        var create = new Command("new", "Make a token. It is shown once and kept nowhere; the file holds its digest.") { name, role, file };
        create.SetAction(
            (parsed, _) =>
                CommandLine.TellFaultsAsync(() => Task.FromResult(New(parsed.GetValue(name)!, parsed.GetValue(role), parsed.GetValue(file))))
        );
        return new Command("token", "Tokens for commands over HTTP.") { create };
    }

    private static int New(string name, Role role, string? path)
    {
        if (name.Length is 0 or > 64 || name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c == '#'))
        {
            throw new SettingException($"--name: '{name}' is no name; 1 to 64 characters without spaces and #.");
        }

        var (token, line) = TokenFile.Create(name, role);
        if (path is not null)
        {
            Add(path, line);
        }
        else
        {
            Console.Error.WriteLine("The line for Web:TokenFile, and after it the token, which is shown this once:");
            Console.WriteLine(line);
        }

        Console.WriteLine(token);
        return 0;
    }

    private static void Add(string path, string line)
    {
        if (File.Exists(path) && TokenFile.Fault(path) is { } fault)
        {
            throw new SettingException($"--file: {fault}");
        }

        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using var writer = new StreamWriter(path, options);
            writer.Write(line + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"--file: {path} cannot be written: {e.Message}", e);
        }
    }
}
