using EdgeInspector.Control;
using EdgeInspector.Line;
using Xunit;

namespace EdgeInspector.Tests.Control;

public sealed class CommandFuzzTests
{
    [Theory]
    [InlineData(1, 20_000)]
    [InlineData(2, 5_000)]
    public async Task NothingOfAStrangersInventionIsLetInAndEachIsCounted(int seed, int count)
    {
        using var line = new Commanding();
        var fuzz = new CommandFuzz(seed);
        var codes = new Dictionary<string, long>();
        for (var i = 0; i < count; i++)
        {
            var (station, verb, payload, role) = fuzz.Next(line.Time.GetUtcNow());
            var reply = await line.Desk.TakeAsync(new CommandArrival(station, verb, payload, new CommandOrigin("mallory", role, "mqtt")));

            Assert.True(reply.Outcome == CommandOutcome.Refused, $"seed {seed}, command {i}, {verb}: {System.Text.Encoding.UTF8.GetString(payload)}");
            codes[reply.Code] = codes.GetValueOrDefault(reply.Code) + 1;
        }

        Assert.Empty(line.Done);
        Assert.Equal(codes, line.Desk.Figures.ByCode);
        Assert.Equal(count, codes.Values.Sum());
        Assert.Equal(
            ["expired", "invalid", "malformed", "role", "too-far", "too-large", "unknown-station", "unknown-verb"],
            codes.Keys.Order(StringComparer.Ordinal)
        );
        Assert.True(line.Audit.IsSound, line.Audit.Fault);
    }
}
