using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Telemetry;
using OpenCvSharp;

namespace EdgeInspector.Tests.Publishing;

/// <summary>Ordinary values for what a test does not care about.</summary>
internal static class Some
{
    public static readonly DateTimeOffset Instant = new(2026, 11, 23, 14, 48, 0, TimeSpan.Zero);

    public static readonly PlantOptions Plant = new() { Enterprise = "acme", Site = "lyon", Area = "hall2", Line = "l1" };

    public static PartRecord Record(long number, string station = "biscuit-1") =>
        new()
        {
            Id = $"{station}/20261123T144800Z/{number}",
            Number = number,
            Station = station,
            Verdict = number % 5 == 0 ? Verdict.Reject : Verdict.Pass,
            Reason = number % 5 == 0 ? Reason.Defect : Reason.None,
            Disposition = number % 5 == 0 ? Disposition.Reject : Disposition.Pass,
            Label = number % 5 == 0 ? "broken" : "good",
            Score = number % 5 == 0 ? 0.97 : 0.02,
            Views = 4,
            Offset = 80.5 * number,
            Across = -12.25,
            Length = 60,
            Lanes = 1,
            EntrySeen = true,
            DecisionMilliseconds = 4.5,
            DecidedAt = Instant.AddMilliseconds(100 * number),
            FiredLateMicroseconds = number % 5 == 0 ? 12.5 : null,
            Confirmation = number % 5 == 0 ? Confirmation.Confirmed : Confirmation.NotExpected,
            Recipe = "biscuit",
            Model = "biscuit 1.0.0",
            IsSimulated = true,
        };

    public static CommandReply Reply(string station, string verb) =>
        new()
        {
            Id = "1",
            Station = station,
            Verb = verb,
            Outcome = CommandOutcome.Accepted,
            Code = "done",
            Text = "done",
            At = Instant,
        };

    public static AlarmRecord Alarm(AlarmCode code, DateTimeOffset raised) =>
        new()
        {
            Code = code,
            Name = AlarmKind.Of(code).Name,
            Severity = AlarmKind.Of(code).Severity,
            Text = "something is wrong",
            State = AlarmState.ActiveUnacknowledged,
            IsLatched = true,
            RaisedAt = raised,
            LastRaisedAt = raised,
            Count = 1,
        };

    public static EvidencePicture Picture(
        long number,
        Verdict verdict = Verdict.Reject,
        int bytes = 64,
        string station = "biscuit-1"
    ) =>
        new(
            $"{station}/20261123T144800Z/{number}",
            number,
            station,
            verdict,
            "broken",
            0.97,
            Instant.AddMilliseconds(100 * number),
            Enumerable.Repeat((byte)number, bytes).ToArray(),
            Enumerable.Repeat((byte)(number + 1), bytes).ToArray()
        );

    /// <summary>A picture that hardly compresses.</summary>
    public static byte[] Jpeg(int width, int height)
    {
        using var picture = new Mat(height, width, MatType.CV_8UC3);
        using var noise = new Mat(height / 8, width / 8, MatType.CV_8UC3);
        Cv2.Randu(noise, Scalar.All(0), Scalar.All(255));
        Cv2.Resize(noise, picture, picture.Size());
        Cv2.ImEncode(".jpg", picture, out var jpeg, new ImageEncodingParam(ImwriteFlags.JpegQuality, 95));
        return jpeg;
    }

    /// <summary>A person says what a part is; done when that is kept.</summary>
    public static Task LabelAsync(Outbox outbox, long number)
    {
        var label = new LabelPayload
        {
            Id = $"label-{number}",
            Station = "biscuit-1",
            ResultId = Record(number).Id,
            Label = "broken",
            By = "ann",
            At = Instant,
        };
        return outbox.AppendAsync(OutgoingMessage.Of(Contract.Label, label.Station, label, label.Id), CancellationToken.None);
    }

    public static StationSnapshot Snapshot(string station = "biscuit-1") =>
        new()
        {
            Station = station,
            State = StationState.ContinuousExecution,
            Recipe = "biscuit",
            Model = "biscuit 1.0.0",
            Provider = "CPU",
            Camera = "connected",
            Broker = "connected",
            Ledger = "ok",
            Uptime = TimeSpan.FromSeconds(754.5),
            At = Instant,
            BeltSpeed = 0.8,
            FramesPerSecond = 59.9,
            Frames = 45_230,
            FramesDropped = 3,
            PartsPerMinute = 598,
            Counts = new PartCounts
            {
                Parts = 7523,
                Passed = 7001,
                Rejected = 510,
                NotInspected = 4,
                Late = 1,
                Open = 7,
                Pulses = 515,
                Confirmed = 514,
                EntryEye = 7523,
                Defects = new Dictionary<string, long> { ["broken"] = 200, ["burnt"] = 310 },
            },
            Decision = new LatencyFigures(3.1, 8.2, 11.9, 14.4, 7516),
            Actuation = new LatencyFigures(0.02, 0.09, 0.2, 0.4, 515),
            IsSimulated = true,
        };
}
