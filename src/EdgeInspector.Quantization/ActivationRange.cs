namespace EdgeInspector.Quantization;

/// <summary>Between which numbers a value lies, 0 among them: padding and ReLU must be met exactly.</summary>
public readonly record struct ActivationRange(float Lowest, float Highest)
{
    public static ActivationRange Including0(float lowest, float highest) =>
        new(Math.Min(lowest, 0), Math.Max(highest, 0));

    /// <summary>
    /// number = (int8 − zero point) × scale. Asymmetric uses all 256 steps; symmetric has zero point 0, as TensorRT
    /// wants it.
    /// </summary>
    public (float Scale, sbyte ZeroPoint) Int8(bool symmetric)
    {
        if (symmetric)
        {
            var largest = Math.Max(-Lowest, Highest);
            return (largest > 0 ? largest / 127 : 1, 0);
        }

        var scale = (Highest - Lowest) / 255;
        return scale > float.Epsilon * 256
            ? (scale, (sbyte)Math.Clamp(MathF.Round(-128 - (Lowest / scale)), -128, 127))
            : (1, -128);
    }
}
