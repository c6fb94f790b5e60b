using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using EdgeInspector.Configuration;
using EdgeInspector.Ledger;
using EdgeInspector.Line;

namespace EdgeInspector.Cli;

/// <summary>`ledger`: what became of every part, read while the service writes it.</summary>
internal static class LedgerCommand
{
    /// <summary>Parts that a table shows unless told otherwise: a screenful or two.</summary>
    private const int TableLimit = 50;

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "The folder with ledger.db. Without it, DataFolder of the configuration that `run` reads.",
        HelpName = "FOLDER",
        Recursive = true,
    };

    private static readonly Option<LedgerFormat> Format = new("--format")
    {
        Description = "table for people, csv or json for programs. Times are UTC.",
        Recursive = true,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "The same as --format json.", Recursive = true };

    private static readonly Option<string?> From = new("--from")
    {
        Description = "From this time on: 2026-11-23T14:00:00Z, 2026-11-23, or how long ago: 30min, 2h, 1d.",
        HelpName = "TIME",
    };

    private static readonly Option<string?> To = new("--to")
    {
        Description = "Before this time; written like --from.",
        HelpName = "TIME",
    };

    private static readonly Option<string?> Station = new("--station")
    {
        Description = "Of this station alone.",
        HelpName = "NAME",
    };

    private static readonly Option<string?> Recipe = new("--recipe")
    {
        Description = "Made under this recipe.",
        HelpName = "NAME",
    };

    private static readonly Option<string?> Run = new("--run")
    {
        Description = "Of this run, as `ledger runs` names it.",
        HelpName = "ID",
    };

    private static readonly Option<int?> Limit = new("--limit")
    {
        Description = $"At most so many; 0 is all. A table of parts shows {TableLimit} by default, csv and json show all.",
        HelpName = "N",
    };

    private static readonly Option<bool> Newest = new("--newest") { Description = "The newest first." };

    private static readonly Option<string[]> Config = Recursive(CommandLine.Config());

    private static readonly Option<string[]> Set = Recursive(CommandLine.Set());

    /// <summary>Makes the verb.</summary>
    public static Command Create() =>
        new(
            "ledger",
            "Ask the ledger what became of every part. It may be asked while the service writes it.")
        {
            Examples.Option(
                """
                edge-inspector ledger summary --from 8h                    how the shift went, and whether the sums agree
                edge-inspector ledger parts --verdict reject --newest      the last rejects
                edge-inspector ledger parts --since-good-challenge --format csv > hold.csv
                                                                           what to hold after a failed challenge test
                edge-inspector ledger runs                                 starts, stops, crashes and the gaps they left
                edge-inspector ledger challenges                           every test, with the trend of its margin
                edge-inspector ledger alarms --open                        what is wrong now
                """),
            CreateParts(),
            CreateSummary(),
            CreateRuns(),
            CreateChallenges(),
            CreateAlarms(),
            Data,
            Format,
            Json,
            Config,
            Set,
        };

    private static Command CreateParts()
    {
        var verdict = new Option<string?>("--verdict") { Description = "pass, reject, not-inspected or late." };
        verdict.AcceptOnlyFromAmong("pass", "reject", "not-inspected", "late");
        var label = new Option<string?>("--label")
        {
            Description = "Called by this label, such as hole.",
            HelpName = "LABEL",
        };
        var challenge = new Option<string?>("--challenge")
        {
            Description = "Of this challenge test, as `ledger challenges` names it.",
            HelpName = "ID",
        };
        var hold = new Option<bool>("--since-good-challenge")
        {
            Description = "After the station's last passed challenge test: the parts to hold when the next one fails.",
        };
        var command = new Command(
            "parts",
            "List parts, in the order in which they were written.")
        {
            Examples.Option(
                """
                edge-inspector ledger parts --from 30min --verdict late
                edge-inspector ledger parts --from 2026-11-23T06:00:00Z --to 2026-11-23T14:00:00Z --format csv > shift.csv
                edge-inspector ledger parts --label hole --newest --limit 20
                edge-inspector ledger parts --since-good-challenge --station biscuit-1 --json
                """),
            From, To, Station, Recipe, verdict, label, Run, challenge, hold, Limit, Newest,
        };
        command.SetAction((parsed, cancellation) => Guard(parsed, (reader, output) =>
        {
            var limit = parsed.GetValue(Limit) ?? (output.Format == LedgerFormat.Table ? TableLimit : 0);
            var query = QueryOf(parsed) with
            {
                Verdict = parsed.GetValue(verdict) is { } name
                    ? Enum.Parse<Verdict>(name.Replace("-", "", StringComparison.Ordinal), ignoreCase: true)
                    : null,
                Label = parsed.GetValue(label),
                Challenge = parsed.GetValue(challenge),
                SinceGoodChallenge = parsed.GetValue(hold),
                Limit = limit == 0 ? null : limit,
            };
            if (query.SinceGoodChallenge)
            {
                foreach (var line in LedgerViews.HoldNotes(reader, query.Station))
                {
                    Note(parsed, output, line);
                }
            }

            var count = output.Write(reader.Read(query), LedgerViews.Parts, cancellation);
            if (count == 0)
            {
                Note(parsed, output, "No parts match.");
            }
            else if (count == limit && parsed.GetValue(Limit) is null)
            {
                Note(
                    parsed,
                    output,
                    $"The first {count}; --newest shows the last ones, --limit 0 all, `ledger summary` counts them.");
            }
        }));
        return command;
    }

    private static Command CreateSummary()
    {
        var command = new Command(
            "summary",
            "Count parts by recipe, verdict and defect, and hold the records of each run against what its "
                + "sensors counted. Runs that fall into the time are compared whole. Parts of challenge tests are "
                + "counted apart. CSV has the counts.")
        {
            Examples.Option(
                """
                edge-inspector ledger summary --from 8h
                edge-inspector ledger summary --from 2026-11-23 --to 2026-11-24 --recipe butter --json
                """),
            From, To, Station, Recipe, Run,
        };
        command.SetAction((parsed, cancellation) => Guard(parsed, (reader, output) =>
        {
            var query = QueryOf(parsed);
            var tallies = reader.Tallies(query);
            if (output.Format == LedgerFormat.Csv)
            {
                output.Write(tallies, LedgerViews.Tallies, cancellation);
            }
            else
            {
                LedgerViews.Summarize(reader, query, tallies, output);
            }

            if (tallies.Count == 0)
            {
                Note(parsed, output, "No parts match.");
            }
        }));
        return command;
    }

    private static Command CreateRuns()
    {
        var command = new Command(
            "runs",
            "List runs: starts, ends, and the gaps that crashes left, in which parts may be missing.")
        {
            Examples.Option(
                """
                edge-inspector ledger runs
                edge-inspector ledger runs --from 7d --json
                """),
            From, To, Station, Limit, Newest,
        };
        command.SetAction((parsed, cancellation) => Guard(parsed, (reader, output) =>
        {
            var rows = LedgerViews.RunRows(reader, QueryOf(parsed), TimeProvider.System.GetUtcNow());
            Told(parsed, output, output.Write(rows, LedgerViews.Runs, cancellation), "runs");
            if (output.Format == LedgerFormat.Table)
            {
                LedgerViews.ShowRemovals(reader, output);
            }
        }));
        return command;
    }

    private static Command CreateChallenges()
    {
        var command = new Command(
            "challenges",
            "List challenge tests: who tested what, whether it passed, and by what margin. The margin is the "
                + "score's distance from the threshold; when it shrinks from test to test, lamp, lens or camera "
                + "are fading.")
        {
            Examples.Option(
                """
                edge-inspector ledger challenges --from 30d --station biscuit-1
                edge-inspector ledger challenges --newest --limit 1 --json
                """),
            From, To, Station, Limit, Newest,
        };
        command.SetAction((parsed, cancellation) => Guard(parsed, (reader, output) =>
        {
            var tests = reader.Challenges(QueryOf(parsed));
            Told(parsed, output, output.Write(tests, LedgerViews.ChallengesOf(tests), cancellation), "challenge tests");
            if (output.Format == LedgerFormat.Table)
            {
                LedgerViews.ShowTrend(tests, output);
            }
        }));
        return command;
    }

    private static Command CreateAlarms()
    {
        var open = new Option<bool>("--open")
        {
            Description = "Those that stand: their cause lasts, or they wait to be acknowledged.",
        };
        var command = new Command(
            "alarms",
            "List alarms: raised, cleared, acknowledged by whom.")
        {
            Examples.Option(
                """
                edge-inspector ledger alarms --from 1d
                edge-inspector ledger alarms --open
                """),
            From, To, Station, open, Limit, Newest,
        };
        command.SetAction((parsed, cancellation) => Guard(parsed, (reader, output) =>
        {
            var query = QueryOf(parsed);
            var alarms = reader.Alarms(query with { Limit = null })
                .Where(row => !parsed.GetValue(open) || row.Alarm.IsStanding)
                .Take(query.Limit ?? int.MaxValue);
            Told(parsed, output, output.Write(alarms, LedgerViews.Alarms, cancellation), "alarms");
        }));
        return command;
    }

    /// <summary>Help that ends with examples, for who learns by them.</summary>
    private sealed class Examples(string lines) : SynchronousCommandLineAction
    {
        private readonly HelpAction _help = new();

        /// <summary>The help option of a command.</summary>
        public static HelpOption Option(string lines) => new() { Action = new Examples(lines) };

        /// <inheritdoc/>
        public override int Invoke(ParseResult parseResult)
        {
            var code = _help.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var line in lines.Split('\n'))
            {
                output.WriteLine("  " + line);
            }

            return code;
        }
    }

    private static Option<T> Recursive<T>(Option<T> option)
    {
        option.Recursive = true;
        return option;
    }

    /// <summary>What the options that the verbs share ask for.</summary>
    private static LedgerQuery QueryOf(ParseResult parsed)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new LedgerQuery
        {
            From = LedgerTime.Parse("--from", parsed.GetValue(From), now),
            To = LedgerTime.Parse("--to", parsed.GetValue(To), now),
            Station = parsed.GetValue(Station),
            Recipe = parsed.GetValue(Recipe),
            Run = parsed.GetValue(Run),
            Limit = parsed.GetValue(Limit) is > 0 and var limit ? limit : null,
            NewestFirst = parsed.GetValue(Newest),
        };
    }

    private static void Told(ParseResult parsed, LedgerOutput output, long count, string what)
    {
        if (count == 0)
        {
            Note(parsed, output, $"No {what} match.");
        }
    }

    /// <summary>A word to the person; beside CSV and JSON it must not get into the data.</summary>
    private static void Note(ParseResult parsed, LedgerOutput output, string text) =>
        (output.Format == LedgerFormat.Table ? parsed.InvocationConfiguration.Output : parsed.InvocationConfiguration.Error)
            .WriteLine(text);

    /// <summary>Finds the ledger and asks it; what the user can put right is one line.</summary>
    private static Task<int> Guard(ParseResult parsed, Action<LedgerReader, LedgerOutput> ask)
    {
        try
        {
            if (FolderOf(parsed) is not { } folder)
            {
                return Task.FromResult(CommandLine.UserFault);
            }

            var format = parsed.GetValue(Json) ? LedgerFormat.Json : parsed.GetValue(Format);
            ask(
                new LedgerReader(Path.Combine(folder, "ledger.db")),
                new LedgerOutput(parsed.InvocationConfiguration.Output, format));
            return Task.FromResult(0);
        }
        catch (Exception fault) when (CommandLine.IsForUser(fault))
        {
            parsed.InvocationConfiguration.Error.WriteLine($"edge-inspector: {fault.Message.ReplaceLineEndings(" ")}");
            return Task.FromResult(CommandLine.UserFault);
        }
        catch (OperationCanceledException)
        {
            return Task.FromResult(1);
        }
    }

    private static string? FolderOf(ParseResult parsed) =>
        parsed.GetValue(Data)
        ?? CommandLine.Load(
            new ConfigurationInputs { Files = parsed.GetValue(Config) ?? [], Settings = parsed.GetValue(Set) ?? [] })
            ?.Value.DataFolder;
}
