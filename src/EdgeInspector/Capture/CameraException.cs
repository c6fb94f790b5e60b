using EdgeInspector.Line;

namespace EdgeInspector.Capture;

/// <summary>A camera that cannot be opened; the message is one line: which source, what is wrong, what to do.</summary>
internal sealed class CameraException(string source, string what, string remedy)
    : SettingException($"{source}: {what}; {remedy}.");
