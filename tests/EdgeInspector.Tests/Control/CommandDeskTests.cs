using System.Text;
using EdgeInspector.Control;
using EdgeInspector.Line;
using EdgeInspector.Tests.Publishing;
using Xunit;

namespace EdgeInspector.Tests.Control;

public sealed class CommandDeskTests : IDisposable
{
    private readonly Commanding _line = new();

    [Fact]
    public async Task ACommandIsBookedDoneBookedAgainAndAnswered()
    {
        var reply = await _line.SendAsync("acknowledge", """{"alarm":"bin-full"}""", Role.Operator);

        Assert.Equal((CommandOutcome.Accepted, "done"), (reply.Outcome, reply.Code));
        Assert.Equal("bin-full", Assert.Single(_line.Done).Arguments.Alarm);
        var entries = _line.Entries;
        Assert.Equal([AuditKind.Genesis, AuditKind.Command, AuditKind.Reply], entries.Select(entry => entry.Kind));
        Assert.Equal(("anna", Role.Operator, "mqtt", "bin-full"), (entries[1].Who, entries[1].Role, entries[1].Via, entries[1].Arguments!.Alarm));
        Assert.Equal(reply.Audit, _line.Audit.Head);
        Assert.True(_line.Audit.IsSound);
    }

    [Fact]
    public async Task EveryVerbNeedsItsRole()
    {
        foreach (var verb in CommandVerb.All)
        {
            foreach (var role in Enum.GetValues<Role>())
            {
                var reply = await _line.SendAsync(verb.Name, ArgumentsOf(verb), role);

                Assert.Equal(role >= verb.Role ? "done" : "role", reply.Code);
            }
        }

        Assert.DoesNotContain(CommandVerb.All, verb => verb.Role == Role.Viewer);
        Assert.Equal(Role.Engineer, CommandVerb.Fire.Role);
    }

    [Fact]
    public async Task ARepeatedIdIsAnsweredAlikeAndDoneOnce()
    {
        var payload = _line.Payload("same");
        var first = await _line.RawAsync("arm", payload);
        _line.Time.Advance(TimeSpan.FromSeconds(5));
        var second = await _line.RawAsync("arm", payload);

        Assert.Equal(first, second);
        Assert.Single(_line.Done);
        Assert.Equal(1, _line.Desk.Figures.Of(RefusalCode.Repeated));
    }

    [Fact]
    public async Task ARepeatedIdIsDoneOnceThoughTheServiceWasRestarted()
    {
        var payload = _line.Payload("same");
        var first = await _line.RawAsync("arm", payload);
        _line.Restart();
        var second = await _line.RawAsync("arm", payload);

        Assert.Single(_line.Done);
        Assert.Equal((first.Outcome, first.Code, first.Text, first.At), (second.Outcome, second.Code, second.Text, second.At));
    }

    [Fact]
    public async Task AnIdThatIsUsedForSomethingElseIsRefused()
    {
        await _line.RawAsync("arm", _line.Payload("same"));

        Assert.Equal("id-reused", (await _line.RawAsync("pause", _line.Payload("same"))).Code);
        Assert.Equal("id-reused", (await _line.RawAsync("arm", _line.Payload("same"), station: "biscuit-2")).Code);
        Assert.Single(_line.Done);
    }

    [Fact]
    public async Task ACommandThatACrashInterruptedIsNotDoneAgain()
    {
        var payload = _line.Payload("same");
        _line.Effect = _ =>
        {
            _line.Effect = order => CommandEffect.Done("done");
            return _line.Crashed();
        };
        await _line.RawAsync("arm", payload); // An answer that nobody hears.
        _line.Done.Clear();

        var reply = await _line.RawAsync("arm", payload);

        Assert.Equal((CommandOutcome.Failed, "interrupted"), (reply.Outcome, reply.Code));
        Assert.Empty(_line.Done);
    }

    [Fact]
    public async Task ACommandHasItsTime()
    {
        Assert.Equal("expired", (await _line.SendAsync("arm", life: TimeSpan.Zero)).Code);
        Assert.Equal("expired", (await _line.SendAsync("arm", life: TimeSpan.FromDays(-1))).Code);
        Assert.Equal("too-far", (await _line.SendAsync("arm", life: _line.Options.LongestLife + TimeSpan.FromSeconds(1))).Code);
        Assert.Equal("done", (await _line.SendAsync("arm", life: _line.Options.LongestLife)).Code);
        Assert.Single(_line.Done);
    }

    [Fact]
    public async Task WhatIsForgottenCannotBeRepeatedBecauseItHasExpired()
    {
        using var line = new Commanding(new ControlOptions { RememberedCommands = 100 });
        var first = line.Payload("first", TimeSpan.FromSeconds(2));
        Assert.Equal("done", (await line.RawAsync("mute", first)).Code);
        for (var i = 0; i < 99; i++)
        {
            Assert.Equal("done", (await line.SendAsync("mute", life: TimeSpan.FromSeconds(60))).Code);
        }

        Assert.Equal("busy", (await line.SendAsync("mute")).Code); // All may still be repeated: none is forgotten.
        line.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal("done", (await line.SendAsync("mute")).Code);
        Assert.Equal("expired", (await line.RawAsync("mute", first)).Code);
    }

    [Theory]
    [InlineData("", "malformed")]
    [InlineData("null", "malformed")]
    [InlineData("[]", "malformed")]
    [InlineData("{", "malformed")]
    [InlineData("{}", "malformed")]
    [InlineData("""{"id":"a"}""", "malformed")]
    [InlineData("""{"id":null,"expiresAt":"$"}""", "malformed")]
    [InlineData("""{"id":7,"expiresAt":"$"}""", "malformed")]
    [InlineData("""{"id":"a","expiresAt":"soon"}""", "malformed")]
    [InlineData("""{"id":"a","expiresAt":"$","who":"admin"}""", "malformed")]
    [InlineData("""{"id":"a","expiresAt":"$","id":"b"}""", "malformed")]
    [InlineData("""{"id":"a","expiresAt":"$","role":"Admin"}""", "malformed")]
    [InlineData("""{"id":"a","expiresAt":"$","arguments":{"thresold":1}}""", "malformed")]
    [InlineData("""{"id":"a","expiresAt":"$","arguments":{"lane":1e400}}""", "malformed")]
    [InlineData("""{"id":"a","expiresAt":"$"} {}""", "malformed")]
    [InlineData("""{"id":"","expiresAt":"$"}""", "invalid")]
    [InlineData("""{"id":"a b","expiresAt":"$"}""", "invalid")]
    [InlineData("""{"id":"a\u0000","expiresAt":"$"}""", "invalid")]
    [InlineData("""{"id":"a","expiresAt":"$","issuer":"an\u202ena"}""", "invalid")]
    [InlineData("""{"id":"a","expiresAt":"$"}""", "invalid")]
    [InlineData("""{"id":"a","expiresAt":"$","arguments":{"threshold":1.5}}""", "invalid")]
    [InlineData("""{"id":"a","expiresAt":"$","arguments":{"threshold":-0.1}}""", "invalid")]
    [InlineData("""{"id":"a","expiresAt":"$","arguments":{"threshold":0.5,"lane":0}}""", "invalid")]
    public async Task WhatIsNoCommandIsRefusedAndDoesNothing(string payload, string code)
    {
        var expiry = $"{_line.Time.GetUtcNow().AddSeconds(10):O}";
        var reply = await _line.RawAsync("threshold", payload.Replace("$", expiry, StringComparison.Ordinal));

        Assert.Equal(code, reply.Code);
        Assert.Empty(_line.Done);
        Assert.Equal(1, _line.Desk.Figures.Of(code));
        Assert.DoesNotContain("who", reply.Text, StringComparison.Ordinal); // A stranger's words are not repeated.
    }

    [Fact]
    public async Task WhatIsNotThereIsRefusedByName()
    {
        Assert.Equal("unknown-verb", (await _line.SendAsync("dance")).Code);
        Assert.Equal("unknown-station", (await _line.SendAsync("arm", station: "biscuit-9")).Code);
        Assert.Equal("too-large", (await _line.RawAsync("arm", new string(' ', 20_000))).Code);
    }

    [Fact]
    public async Task WhoIsTakenFromTheBrokerAndNeverFromThePayload()
    {
        await _line.RawAsync("mute", $$"""{"id":"a","expiresAt":"{{_line.Time.GetUtcNow().AddSeconds(9):O}}","issuer":"the boss"}""", Role.Operator, who: "ben");

        var entry = _line.Entries.Single(entry => entry.Kind == AuditKind.Command);
        Assert.Equal(("ben", "the boss"), (entry.Who, entry.Issuer));
        Assert.Equal("ben", _line.Done.Single().Who);
    }

    [Fact]
    public async Task WhatTheStationRefusesIsToldWithItsReasonAndBooked()
    {
        _line.Effect = _ => CommandEffect.Refused(RefusalCode.State, "alarm 103 bin-full stands");
        var reply = await _line.SendAsync("arm");

        Assert.Equal((CommandOutcome.Refused, "state", "alarm 103 bin-full stands"), (reply.Outcome, reply.Code, reply.Text));
        Assert.Equal(CommandOutcome.Refused, _line.Entries[^1].Outcome);
    }

    [Fact]
    public async Task WhatBreaksInACommandBreaksNothingElse()
    {
        _line.Effect = _ => throw new InvalidOperationException("password=hunter2");
        var reply = await _line.SendAsync("diagnostics");
        _line.Effect = _ => CommandEffect.Done("done");

        Assert.Equal((CommandOutcome.Failed, "fault"), (reply.Outcome, reply.Code));
        Assert.DoesNotContain("hunter2", reply.Text, StringComparison.Ordinal);
        Assert.Equal("done", (await _line.SendAsync("mute")).Code);
    }

    [Fact]
    public async Task AFloodOfRefusalsIsCountedInFullAndBookedInSum()
    {
        for (var i = 0; i < 5000; i++)
        {
            await _line.SendAsync("arm", role: Role.Viewer);
        }

        await _line.SendAsync("mute");

        Assert.Equal(5000, _line.Desk.Figures.Of(RefusalCode.Role));
        Assert.Equal(RefusalBook.Burst, _line.Entries.Count(entry => entry.Kind == AuditKind.Refused));
        Assert.Equal(5000 - RefusalBook.Burst, Assert.Single(_line.Entries, entry => entry.Kind == AuditKind.Refusals).Counts!["role"]);
        Assert.True(_line.Audit.IsSound);
    }

    [Fact]
    public async Task WithoutItsAuditLogTheStationTakesPauseAndNothingElse()
    {
        _line.Desk.Dispose(); // Closed: nothing can be written any more.

        Assert.Equal("audit", (await _line.SendAsync("arm")).Code);
        Assert.Equal("done", (await _line.SendAsync("pause")).Code);
        Assert.False(_line.Desk.IsAuditWritten);
        Assert.Equal("pause", Assert.Single(_line.Done).Verb.Name);
    }

    [Fact]
    public async Task OneCommandIsDoneAtATimeAndTooManyAreTurnedAway()
    {
        var gate = new TaskCompletionSource();
        var underWay = 0;
        var most = 0;
        using var folder = new TemporaryFolder();
        using var desk = new CommandDesk(
            new ControlOptions(),
            folder.Path,
            _ => true,
            async _ =>
            {
                most = Math.Max(most, Interlocked.Increment(ref underWay));
                await gate.Task;
                Interlocked.Decrement(ref underWay);
                return CommandEffect.Done("done");
            },
            _line.Time,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<CommandDesk>.Instance
        );
        desk.Open("1.0");
        var sent = Enumerable
            .Range(0, 40)
            .Select(i =>
                desk.TakeAsync(
                        new CommandArrival("a", "mute", Encoding.UTF8.GetBytes(_line.Payload($"m{i}")), new CommandOrigin("anna", Role.Admin, "http"))
                    )
                    .AsTask()
            )
            .ToList();
        gate.SetResult();
        var replies = await Task.WhenAll(sent);

        Assert.Equal(1, most);
        Assert.Equal(16, replies.Count(reply => reply.Code == "done"));
        Assert.Equal(24, replies.Count(reply => reply.Code == "busy"));
    }

    public void Dispose() => _line.Dispose();

    private static string? ArgumentsOf(CommandVerb verb) =>
        verb.Name switch
        {
            "recipe" => """{"recipe":"butter"}""",
            "threshold" => """{"threshold":0.5}""",
            "label" => """{"resultId":"biscuit-1/r/1","label":"hole"}""",
            "fire" => """{"lane":0}""",
            _ => null,
        };
}
