using EdgeInspector.Vision;

namespace EdgeInspector.Quantization;

/// <summary>A model that cannot be read, rewritten or quantised. The message is one line for the user.</summary>
public sealed class OnnxException : VisionException
{
    public OnnxException(string message)
        : base(message)
    {
    }

    public OnnxException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
