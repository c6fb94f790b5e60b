using EdgeInspector.Line;

namespace EdgeInspector.Ledger;

/// <summary>A ledger that cannot be opened; the message is one line: which file, what is wrong, what to do.</summary>
internal sealed class LedgerException(string path, string what, string remedy)
    : SettingException($"{path}: {what}; {remedy}.");
