namespace EdgeInspector.Line;

/// <summary>
/// A setting, or the thing it names (a file, a port, an address), cannot be used, and the service must not start.
/// The message is one line: the key or file, what is wrong, the remedy. Shown as it is, with a non-zero exit code.
/// </summary>
internal class SettingException(string message, Exception? inner = null) : Exception(message, inner);
