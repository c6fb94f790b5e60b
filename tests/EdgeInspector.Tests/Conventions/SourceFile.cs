namespace EdgeInspector.Tests.Conventions;

/// <summary>One C# file: its path from the repository root, with slashes, and its lines.</summary>
internal sealed record SourceFile(string Path, IReadOnlyList<string> Lines);
