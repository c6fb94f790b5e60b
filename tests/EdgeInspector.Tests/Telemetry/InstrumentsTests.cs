using System.Diagnostics;
using System.Net;
using System.Text;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Publishing;
using Xunit;

namespace EdgeInspector.Tests.Telemetry;

public sealed class InstrumentsTests : IDisposable
{
    private static readonly ServiceFigures Service = new() { RecordsWaiting = 12, PictureBytes = 4096, Shed = 3, LedgerLost = 2 };

    private readonly Instruments _instruments;
    private readonly MetricsText _text;
    private StationSnapshot _snapshot = Some.Snapshot();

    public InstrumentsTests()
    {
        _instruments = new Instruments(() => [_snapshot], () => Service, "1.2.3", TimeProvider.System);
        _text = new MetricsText(_instruments);
    }

    public void Dispose()
    {
        _text.Dispose();
        _instruments.Dispose();
    }

    [Fact]
    public void FiguresOfTheSnapshotAreThere()
    {
        var lines = _text.Read().Split('\n');

        Assert.Contains("edgeinspector_parts_total{station=\"biscuit-1\",verdict=\"reject\"} 510", lines);
        Assert.Contains("edgeinspector_parts_total{station=\"biscuit-1\",verdict=\"not_inspected\"} 4", lines);
        Assert.Contains("edgeinspector_parts_unaccounted_total{station=\"biscuit-1\"} 0", lines);
        Assert.Contains("edgeinspector_defects_total{station=\"biscuit-1\",label=\"burnt\"} 310", lines);
        Assert.Contains("edgeinspector_confirmations_total{station=\"biscuit-1\",result=\"confirmed\"} 514", lines);
        Assert.Contains("edgeinspector_frames_dropped_total{station=\"biscuit-1\"} 3", lines);
        Assert.Contains("edgeinspector_decision_duration_seconds{station=\"biscuit-1\",percentile=\"99\"} 0.0082", lines);
        Assert.Contains("edgeinspector_state{station=\"biscuit-1\",state=\"continuous_execution\"} 1", lines);
        Assert.Contains("edgeinspector_state{station=\"biscuit-1\",state=\"error\"} 0", lines);
        Assert.Contains("edgeinspector_outbox_waiting{kind=\"record\"} 12", lines);
        Assert.Contains("edgeinspector_outbox_size_bytes{kind=\"picture\"} 4096", lines);
        Assert.Contains("edgeinspector_publishing_shed_total 3", lines);
        Assert.Contains("edgeinspector_build_info{version=\"1.2.3\"} 1", lines);
        Assert.Contains(
            "edgeinspector_station_info{station=\"biscuit-1\",recipe=\"biscuit\",model=\"biscuit 1.0.0\",provider=\"CPU\",simulated=\"true\"} 1",
            lines
        );
    }

    [Fact]
    public void AnAlarmThatNoLongerStandsIsNoLongerThere()
    {
        _snapshot = _snapshot with { Alarms = [Some.Alarm(AlarmCode.BinFull, Some.Instant)] };
        using var raised = new Instruments(() => [_snapshot], () => Service, "1", new Jumping());
        using var text = new MetricsText(raised);
        const string Line = "edgeinspector_alarm{station=\"biscuit-1\",alarm=\"bin-full\"} 1";

        Assert.Contains(Line, text.Read());
        _snapshot = _snapshot with { Alarms = [] };
        Assert.DoesNotContain(Line, text.Read());
    }

    [Fact]
    public void WhatIsNotANumberAndWhatWouldBreakALineAreHeldBack()
    {
        _snapshot = _snapshot with { BeltSpeed = double.NaN, Recipe = "a\"b\\c\nd" };

        var text = _text.Read();

        Assert.DoesNotContain("NaN", text);
        Assert.Contains("recipe=\"a\\\"b\\\\c\\nd\"", text);
    }

    [Fact]
    public async Task PrometheusTakesTheText()
    {
        Assert.SkipUnless(Path.Exists("/usr/bin/promtool") || OnPath("promtool"), "promtool is not installed (apt install prometheus)");
        _snapshot = _snapshot with { Alarms = [Some.Alarm(AlarmCode.BinFull, Some.Instant)], IsHealthy = true };

        using var tool = Process.Start(
            new ProcessStartInfo("promtool", ["check", "metrics"])
            {
                RedirectStandardInput = true,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            }
        )!;
        await tool.StandardInput.WriteAsync(_text.Read());
        tool.StandardInput.Close();
        var said = await tool.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)
            + await tool.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await tool.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("", said.Trim());
        Assert.Equal(0, tool.ExitCode);
    }

    [Fact]
    public async Task ACollectorIsSentTheSameInstruments()
    {
        using var collector = new HttpListener();
        var port = Mosquitto.FreePort();
        collector.Prefixes.Add($"http://127.0.0.1:{port}/");
        collector.Start();
        var options = new MetricsOptions { OtlpEndpoint = new Uri($"http://127.0.0.1:{port}/v1/metrics"), OtlpInterval = TimeSpan.FromHours(1) };
        using var export = new MetricsExport(options, "acme-lyon-hall2-l1", "1.2.3");

        var flush = Task.Run(() => export.Flush(Patience.Long), TestContext.Current.CancellationToken);
        var context = await collector.GetContextAsync().Patiently();
        using var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body, TestContext.Current.CancellationToken);
        context.Response.StatusCode = 200;
        context.Response.Close();

        Assert.True(await flush.Patiently());
        Assert.Equal("/v1/metrics", context.Request.Url!.AbsolutePath);
        var text = Encoding.Latin1.GetString(body.ToArray());
        Assert.Contains("edgeinspector.parts.unaccounted", text);
        Assert.Contains("acme-lyon-hall2-l1", text);
        collector.Stop();
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => Path.Exists(Path.Combine(folder, program)));

    /// <summary>Each look at the clock is a second later.</summary>
    private sealed class Jumping : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now += TimestampFrequency;
    }
}
