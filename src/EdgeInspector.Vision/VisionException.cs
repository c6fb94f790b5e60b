namespace EdgeInspector.Vision;

/// <summary>Something the user can put right; the message is one line: which file, what is wrong, what to do.</summary>
public class VisionException : Exception
{
    public VisionException(string message)
        : base(OneLine(message))
    {
    }

    public VisionException(string message, Exception? inner)
        : base(OneLine(message), inner)
    {
    }

    /// <summary>Native libraries like to answer in paragraphs.</summary>
    private static string OneLine(string message) =>
        string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>A model package that is not accepted, and why.</summary>
public sealed class ModelPackageException : VisionException
{
    public ModelPackageException(string message)
        : base(message)
    {
    }

    public ModelPackageException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}
