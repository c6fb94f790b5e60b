namespace EdgeInspector.Quantization;

/// <summary>How the range of an activation follows from what calibration saw.</summary>
public enum CalibrationMethod
{
    /// <summary>All that was seen: nothing is cut off, rare large values cost digits.</summary>
    MinMax,

    /// <summary>The cut that keeps most information (least Kullback-Leibler divergence).</summary>
    Entropy,

    /// <summary>All but a share of the largest and smallest values.</summary>
    Percentile,
}

/// <summary>How a graph is quantised.</summary>
public sealed record QuantizationOptions
{
    public CalibrationMethod Method { get; init; } = CalibrationMethod.MinMax;

    /// <summary>50 to 100: share of the values, in percent, that <see cref="CalibrationMethod.Percentile"/> keeps.</summary>
    public double Percentile { get; init; } = 99.999;

    /// <summary>A scale for each output channel's weights; one for all of them otherwise.</summary>
    public bool PerChannel { get; init; } = true;

    /// <summary>
    /// Weights in 7 bits: x86 processors without VNNI add two products in 16 bits, which 8-bit weights overflow.
    /// </summary>
    public bool ReduceRange { get; init; }

    /// <summary>Activations around zero, for TensorRT. The processor's provider is slower then: a ReLU stays a step of its own.</summary>
    public bool SymmetricActivations { get; init; }

    /// <summary>
    /// Nodes that stay float: names or operators, * and ? stand for any letters.
    /// </summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>
    /// Whether everything from the last layers with weights to the outputs stays float: the scores and box sides
    /// themselves and the arithmetic that decodes them.
    /// </summary>
    public bool KeepHead { get; init; } = true;

    /// <summary>Bytes of activations held at once while calibrating.</summary>
    public long Memory { get; init; } = 256L << 20;
}
