using EdgeInspector.Control;
using EdgeInspector.Line;
using EdgeInspector.Tests.Publishing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace EdgeInspector.Tests.Control;

public sealed class AuditLogTests : IDisposable
{
    private const string Device = "press-7";

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 14, 48, 0, TimeSpan.Zero));

    private string LogFolder => Path.Combine(_folder.Path, "audit");

    private string Anchor => Path.Combine(_folder.Path, "audit.anchor");

    [Fact]
    public void EveryEntryIsChainedToTheOneBefore()
    {
        Write(5);
        var report = Verify();

        Assert.True(report.IsSound, report.Fault);
        Assert.Equal(6, report.Entries);
        Assert.Equal(Device, report.Device);
        Assert.Equal(1, report.Anchors);
    }

    [Fact]
    public void ALogGoesOnWhereTheLastRunEnded()
    {
        Write(2);
        Write(3);

        Assert.Equal(7, Verify().Entries); // Genesis, two, start, three.
    }

    [Fact]
    public void AChangedByteIsFoundWhereverItIs()
    {
        Write(3);
        var path = AuditChain.Files(LogFolder)[0].Path;
        var whole = File.ReadAllBytes(path);
        var lineOf = new int[whole.Length];
        for (var (at, line) = (0, 1); at < whole.Length; at++)
        {
            lineOf[at] = line;
            line += whole[at] == '\n' ? 1 : 0;
        }

        for (var at = 0; at < whole.Length; at++)
        {
            var changed = whole.ToArray();
            changed[at] ^= 1;
            File.WriteAllBytes(path, changed);
            var report = Verify();

            Assert.False(report.IsSound, $"byte {at} was changed and nobody saw it");
            Assert.True(report.FaultyEntry <= lineOf[at] + 1, $"byte {at} of entry {lineOf[at]}: entry {report.FaultyEntry} is named");
        }
    }

    [Theory]
    [InlineData(1, "is not as it was written")]
    [InlineData(2, "follows entry")]
    [InlineData(4, "its end was cut off")]
    public void ALineThatIsTakenOutIsFound(int line, string told)
    {
        Write(3);
        var path = AuditChain.Files(LogFolder)[0].Path;
        var lines = File.ReadAllLines(path).ToList();
        lines.RemoveAt(line - 1);
        File.WriteAllText(path, string.Concat(lines.Select(text => text + "\n")));

        var report = Verify();

        Assert.Contains(line == 1 ? "follows entry 0" : told, report.Fault, StringComparison.Ordinal);
        Assert.Equal(line, report.FaultyEntry);
    }

    [Fact]
    public void AnEndThatIsCutOffShowsByTheAnchorAndNotWithoutIt()
    {
        Write(3);
        var path = AuditChain.Files(LogFolder)[0].Path;
        File.WriteAllText(path, string.Concat(File.ReadLines(path).Take(2).Select(text => text + "\n")));

        Assert.Equal(3, Verify().FaultyEntry);
        Assert.Null(AuditVerification.Walk(LogFolder, Device, []).Fault);
    }

    [Fact]
    public void ALogThatIsGoneShowsByTheAnchor()
    {
        Write(3);
        Directory.Delete(LogFolder, recursive: true);

        Assert.Contains("there is no log", Verify().Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void ALogThatWasWrittenAnewIsNotTheOneThatWasKeptApart()
    {
        Write(3);
        var kept = AuditLog.ReadAnchor(Anchor)!.Value;
        Directory.Delete(LogFolder, recursive: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        Write(3);

        Assert.True(Verify().IsSound);
        var report = AuditVerification.Walk(LogFolder, Device, [kept]);
        Assert.Contains("written anew", report.Fault, StringComparison.Ordinal);
        Assert.Equal(4, report.FaultyEntry);
    }

    [Fact]
    public void AnotherDevicesLogIsToldApart()
    {
        Write(1);

        var report = AuditVerification.Walk(LogFolder, "press-8", []);

        Assert.Contains("belongs to another device, press-7", report.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEntryThatAPowerCutLeftHalfIsDroppedAndSaid()
    {
        Write(2);
        var path = AuditChain.Files(LogFolder)[0].Path;
        File.AppendAllText(path, "{\"hash\":\"0123");
        Assert.True(Verify().EndsUnfinished);

        Write(1);

        var report = Verify();
        Assert.True(report.IsSound, report.Fault);
        Assert.Contains(AuditLog.Tail(LogFolder, DateTimeOffset.MinValue), entry => entry is { Kind: AuditKind.Recovered, Text: not null });
    }

    [Fact]
    public void AfterDamageTheLogGoesOnInAFileOfItsOwnAndTheDamageStaysToBeSeen()
    {
        Write(3);
        var path = AuditChain.Files(LogFolder)[0].Path;
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"n\":2", "\"n\":7", StringComparison.Ordinal));

        using (var log = Log())
        {
            Assert.Contains("goes on in a new file", log.Open("1.0"), StringComparison.Ordinal);
            log.Append(new AuditEntry { Kind = AuditKind.Stop });
        }

        Assert.Equal(2, AuditChain.Files(LogFolder).Count);
        Assert.Equal(2, Verify().FaultyEntry);
    }

    [Fact]
    public void TheOldestFilesMakeRoomAndTheLogSaysSo()
    {
        Write(400, segmentBytes: 4000, maximumBytes: 20_000);

        var report = Verify();
        Assert.True(report.IsSound, report.Fault);
        Assert.True(report.First > 1);
        Assert.True(AuditChain.Files(LogFolder).Sum(file => new FileInfo(file.Path).Length) < 30_000);

        File.Delete(AuditChain.Files(LogFolder)[0].Path);
        Assert.Contains("no entry says that they made room", Verify().Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileMissingInTheMiddleIsNamed()
    {
        Write(100, segmentBytes: 4000);
        File.Delete(AuditChain.Files(LogFolder)[1].Path);

        Assert.Contains("audit-000002.jsonl is missing", Verify().Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void ALogThatCannotBeWrittenThrowsAndGoesOnWhenItCan()
    {
        var small = Path.Combine(_folder.Path, "small");
        using var disk = Support.SmallDisk.Mount(small, "1m");
        using var log = new AuditLog(Path.Combine(small, "audit"), Path.Combine(small, "anchor"), Device, 1 << 30, _time);
        log.Open("1.0");
        disk.Fill();
        var text = new string('x', 5000);
        Assert.ThrowsAny<IOException>(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                log.Append(new AuditEntry { Kind = AuditKind.Refused, Text = text });
            }
        });
        File.Delete(Path.Combine(small, "filler"));
        log.Append(new AuditEntry { Kind = AuditKind.Stop });

        Assert.Null(AuditVerification.Walk(Path.Combine(small, "audit"), Device, [log.Head]).Fault);
    }

    public void Dispose() => _folder.Dispose();

    private AuditLog Log(long segmentBytes = 1 << 20, long maximumBytes = 1 << 30) =>
        new(LogFolder, Anchor, Device, maximumBytes, _time, segmentBytes);

    private void Write(int entries, long segmentBytes = 1 << 20, long maximumBytes = 1 << 30)
    {
        using var log = Log(segmentBytes, maximumBytes);
        Assert.Null(log.Open("1.0") is { } fault && !fault.Contains("unfinished", StringComparison.Ordinal) ? fault : null);
        for (var i = 0; i < entries; i++)
        {
            log.Append(new AuditEntry { Kind = AuditKind.Command, Station = "biscuit-1", Verb = "mute", Id = $"c{i}", Who = "anna", Role = Role.Operator });
        }
    }

    private AuditReport Verify() =>
        AuditVerification.Walk(LogFolder, Device, AuditLog.ReadAnchor(Anchor) is { } head ? [head] : []);
}
