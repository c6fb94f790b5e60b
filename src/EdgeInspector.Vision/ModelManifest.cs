using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeInspector.Vision;

/// <summary>The facts of a model package, as its manifest.json tells them. Keys it does not know are refused.</summary>
public sealed record ModelManifest
{
    public const string FileName = "manifest.json";

    public const string CurrentSchema = "edge-inspector.package/1";

    public required string Schema { get; init; }

    public required string Name { get; init; }

    public required string Version { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Description { get; init; }

    /// <summary>Absent: the whole picture is one part.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DetectorManifest? Detector { get; init; }

    /// <summary>Absent: parts are found and not judged.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ClassifierManifest? Classifier { get; init; }

    public IReadOnlyList<GoldenPicture> Golden { get; init; } = [];

    public GoldenTolerance Tolerance { get; init; } = new();

    /// <summary>What training found out; free form, for people.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Metrics { get; init; }
}

/// <summary>The first stage: finds parts.</summary>
public sealed record DetectorManifest
{
    /// <summary>Name of the ONNX file, in the package's folder.</summary>
    public required string File { get; init; }

    /// <summary>SHA-256 of the file, hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>How the outputs are read; absent: found from the model, and refused when that does not tell.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DetectorFormat? Format { get; init; }

    /// <summary>How boxes are written, for formats that do not settle it; absent: as the format does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BoxForm? Boxes { get; init; }

    /// <summary>
    /// 0 or 1: the number that a graph which chooses labels itself gives the first one; absent: as the format does.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? FirstLabel { get; init; }

    public required NetworkInput Input { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>0 to 1; what scores lower is not a part.</summary>
    public float ScoreThreshold { get; init; } = 0.5f;

    /// <summary>0 to 1; of two parts of one label that overlap more than this, the lower score goes.</summary>
    public float NmsThreshold { get; init; } = 0.5f;

    /// <summary>1 to 1024.</summary>
    public int MaxDetections { get; init; } = 64;
}

/// <summary>The second stage: judges parts.</summary>
public sealed record ClassifierManifest
{
    /// <summary>Name of the ONNX file, in the package's folder.</summary>
    public required string File { get; init; }

    /// <summary>SHA-256 of the file, hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>How the outputs are read; absent: found from the model, and refused when that does not tell.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ClassifierFormat? Format { get; init; }

    public required NetworkInput Input { get; init; }

    /// <summary>
    /// −0.45 to 2: what is cut out is a square around the part, its side the part's longer one times
    /// 1 + 2 × this margin.
    /// </summary>
    public float CropMargin { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>The labels that are no defect.</summary>
    public required IReadOnlyList<string> Good { get; init; }

    /// <summary>
    /// For anomaly: the numbers that become the defect scores 0 and 1; between them it rises evenly.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<float>? AnomalyRange { get; init; }

    /// <summary>0 to 1; a part whose defect score reaches it is a defect.</summary>
    public float DefectThreshold { get; init; } = 0.5f;
}

/// <summary>
/// How a picture becomes a network's input: value = (pixel − mean) / std, laid out as <see cref="Layout"/> says, each
/// an <see cref="Element"/>.
/// </summary>
public sealed record NetworkInput
{
    /// <summary>Pixels, 8 to 4096.</summary>
    public required int Width { get; init; }

    /// <summary>Pixels, 8 to 4096.</summary>
    public required int Height { get; init; }

    public ChannelOrder Channels { get; init; } = ChannelOrder.Rgb;

    /// <summary>One number per channel, in the order of <see cref="Channels"/>, 0 to 255.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0, 0, 0];

    /// <summary>One number per channel, in the order of <see cref="Channels"/>, above 0.</summary>
    public IReadOnlyList<float> Std { get; init; } = [255, 255, 255];

    public FitMode Fit { get; init; } = FitMode.Letterbox;

    public ResampleMode Resample { get; init; } = ResampleMode.Bilinear;

    /// <summary>Grey level of what a letterbox leaves free, 0 to 255.</summary>
    public float Pad { get; init; } = 114;

    public InputLayout Layout { get; init; } = InputLayout.Nchw;

    public InputElement Element { get; init; } = InputElement.Float32;
}

/// <summary>A picture of the package with what this package's networks must find in it.</summary>
public sealed record GoldenPicture
{
    /// <summary>Path inside the package's folder.</summary>
    public required string Picture { get; init; }

    public required IReadOnlyList<GoldenPart> Parts { get; init; }
}

/// <summary>One part of a golden picture.</summary>
public sealed record GoldenPart
{
    /// <summary>x1, y1, x2, y2 in pixels of the picture.</summary>
    public required IReadOnlyList<float> Box { get; init; }

    /// <summary>The detector's score; not looked at in a package without detector.</summary>
    public float Score { get; init; } = 1;

    /// <summary>The classifier's label, or the detector's in a package without classifier.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Label { get; init; }

    /// <summary>The classifier's defect score.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public float? DefectScore { get; init; }
}

/// <summary>How far a device may differ from the golden results before its package is refused.</summary>
public sealed record GoldenTolerance
{
    /// <summary>0 to 0.5, for detection and defect scores.</summary>
    public float Score { get; init; } = 0.02f;

    /// <summary>0 to 64, for each edge of a box.</summary>
    public float Pixels { get; init; } = 2;
}

/// <summary>How a detector writes down what it found.</summary>
public enum DetectorFormat
{
    /// <summary>[1, 4 + C, N]: centre x, centre y, width, height in input pixels, then C scores.</summary>
    [JsonStringEnumMemberName("yolov8")]
    YoloV8,

    /// <summary>
    /// [1, N, 5 + C], grid not decoded, strides 8, 16 and 32: x, y, width, height, objectness, C scores.
    /// </summary>
    [JsonStringEnumMemberName("yolox")]
    YoloX,

    /// <summary>[1, N, 5 + C]: centre x, centre y, width, height in input pixels, objectness, C scores.</summary>
    [JsonStringEnumMemberName("yolov5")]
    YoloV5,

    /// <summary>[1, N, 6]: x1, y1, x2, y2 in input pixels, score, label; no overlaps left.</summary>
    [JsonStringEnumMemberName("yolo-end-to-end")]
    YoloEndToEnd,

    /// <summary>Scores and distributions of distances per cell, in one output or two per stride.</summary>
    [JsonStringEnumMemberName("nanodet")]
    NanoDet,

    /// <summary>Decoded boxes and scores, chosen by the graph or for every anchor.</summary>
    [JsonStringEnumMemberName("ssd")]
    Ssd,

    /// <summary>Boxes and logits, rows of boxes and scores, or labels, boxes and scores.</summary>
    [JsonStringEnumMemberName("detr")]
    Detr,

    /// <summary>[N, 6]: label, score, x1, y1, x2, y2; no overlaps left.</summary>
    [JsonStringEnumMemberName("paddle")]
    Paddle,
}

/// <summary>How four numbers are a box: in input pixels, or in parts of the input's width and height.</summary>
public enum BoxForm
{
    /// <summary>Left, top, right, bottom.</summary>
    [JsonStringEnumMemberName("xyxy")]
    Xyxy,

    /// <summary>Top, left, bottom, right.</summary>
    [JsonStringEnumMemberName("yxyx")]
    Yxyx,

    /// <summary>Centre x, centre y, width, height.</summary>
    [JsonStringEnumMemberName("cxcywh")]
    Cxcywh,
    [JsonStringEnumMemberName("xyxy-normalised")]
    XyxyNormalised,
    [JsonStringEnumMemberName("yxyx-normalised")]
    YxyxNormalised,
    [JsonStringEnumMemberName("cxcywh-normalised")]
    CxcywhNormalised,
}

/// <summary>What the numbers are that a classifier gives.</summary>
public enum ClassifierFormat
{
    /// <summary>One probability per label.</summary>
    [JsonStringEnumMemberName("softmax")]
    Softmax,

    /// <summary>One number per label, to be put through a softmax.</summary>
    [JsonStringEnumMemberName("logits")]
    Logits,

    /// <summary>One number: the probability of a defect.</summary>
    [JsonStringEnumMemberName("sigmoid")]
    Sigmoid,

    /// <summary>One number, to be put through a sigmoid: how likely a defect is.</summary>
    [JsonStringEnumMemberName("logit")]
    Logit,

    /// <summary>
    /// A probability for each label by itself; several may be true at once. A single good label may have none.
    /// </summary>
    [JsonStringEnumMemberName("multi-label")]
    MultiLabel,

    /// <summary>As multi-label, each number to be put through a sigmoid.</summary>
    [JsonStringEnumMemberName("multi-label-logits")]
    MultiLabelLogits,

    /// <summary>How unusual a part is, as one number, and a map of where, or a map alone.</summary>
    [JsonStringEnumMemberName("anomaly")]
    Anomaly,
}

/// <summary>Which colours a network takes, in which order.</summary>
public enum ChannelOrder
{
    [JsonStringEnumMemberName("rgb")]
    Rgb,
    [JsonStringEnumMemberName("bgr")]
    Bgr,
    [JsonStringEnumMemberName("grey")]
    Grey,
}

/// <summary>How a picture is brought to the size that a network takes.</summary>
public enum FitMode
{
    /// <summary>Shape kept, centred, the rest padded.</summary>
    [JsonStringEnumMemberName("letterbox")]
    Letterbox,

    /// <summary>Shape kept, in the upper left corner, the rest padded.</summary>
    [JsonStringEnumMemberName("letterbox-top-left")]
    LetterboxTopLeft,

    /// <summary>Pulled to the input's shape.</summary>
    [JsonStringEnumMemberName("stretch")]
    Stretch,
}

/// <summary>How pixels are weighed when a picture changes size; training and device must agree.</summary>
public enum ResampleMode
{
    /// <summary>Two neighbours each way, whatever the reduction, as cv2.INTER_LINEAR: fast.</summary>
    [JsonStringEnumMemberName("bilinear")]
    Bilinear,

    /// <summary>
    /// A cubic as wide as the reduction, rounded to grey levels, as FFmpeg's scaler does by default: nothing is
    /// skipped over, so fine texture does not alias; several times slower.
    /// </summary>
    [JsonStringEnumMemberName("bicubic")]
    Bicubic,
}

/// <summary>In which order a network takes a picture's numbers.</summary>
public enum InputLayout
{
    /// <summary>[batch, channels, height, width]: one plane after the other, as PyTorch exports.</summary>
    [JsonStringEnumMemberName("nchw")]
    Nchw,

    /// <summary>[batch, height, width, channels]: pixel after pixel, as TensorFlow exports.</summary>
    [JsonStringEnumMemberName("nhwc")]
    Nhwc,
}

/// <summary>What kind of number a network takes.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "These are the names that ONNX and its users have for them.")]
public enum InputElement
{
    [JsonStringEnumMemberName("float32")]
    Float32,

    /// <summary>Grey levels as they are, 0 to 255, rounded: mean 0 and std 1. The graph normalises them itself.</summary>
    [JsonStringEnumMemberName("uint8")]
    UInt8,

    [JsonStringEnumMemberName("float16")]
    Float16,
}
