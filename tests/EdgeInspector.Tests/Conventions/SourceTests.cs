using System.Text.RegularExpressions;
using Xunit;

namespace EdgeInspector.Tests.Conventions;

/// <summary>House rules that a compiler does not know.</summary>
public sealed partial class SourceTests
{
    [Fact]
    public void NamespacesEqualFolders()
    {
        var strays =
            from file in SourceTree.Files("src").Concat(SourceTree.Files("tests"))
            let declared = file.Lines.Select(line => Namespace().Match(line)).FirstOrDefault(match => match.Success)
            where declared is not null
            // src/EdgeInspector.Vision/Decoding/Yolox.cs belongs in EdgeInspector.Vision.Decoding.
            let expected = string.Join('.', file.Path.Split('/')[1..^1])
            where declared.Groups[1].Value != expected
            select $"{file.Path}: namespace {declared.Groups[1].Value} instead of {expected}";

        Offenders.None(strays);
    }

    [Fact]
    public void EveryPublicTypeSaysWhatItIs()
    {
        var silent =
            from file in SourceTree.Files("src")
            from line in file.Lines.Index()
            where PublicType().IsMatch(line.Item) && !HasSummary(file.Lines, line.Index)
            select $"{file.Path}:{line.Index + 1}: {line.Item.Trim()}";

        Offenders.None(silent);
    }

    [Fact]
    public void TheWallClockIsReadThroughTimeProviderOnly() => Offenders.None(SourceTree.Lines("src", WallClock()));

    [Fact]
    public void NoThreadSleepsInTheProgram() => Offenders.None(SourceTree.Lines("src", Sleep()));

    [Fact]
    public void NoThreadSleepsInTheTests() => Offenders.None(SourceTree.Lines("tests", Sleep()));

    private static bool HasSummary(IReadOnlyList<string> lines, int type)
    {
        // Attributes and the lines they run over stand between comment and type.
        for (var i = type - 1; i >= 0; i--)
        {
            var text = lines[i].Trim();
            if (text.StartsWith("///", StringComparison.Ordinal))
            {
                return true;
            }

            if (text.Length == 0 || text.EndsWith(';') || text.EndsWith('}') || text.EndsWith('{'))
            {
                return false;
            }
        }

        return false;
    }

    [GeneratedRegex(@"^namespace ([\w.]+)")]
    private static partial Regex Namespace();

    [GeneratedRegex(
        @"^\s*public\s+(?:(?:static|sealed|abstract|readonly|ref|partial|unsafe)\s+)*"
            + @"(?:class|record|struct|interface|enum|delegate)\b"
    )]
    private static partial Regex PublicType();

    // A jump of the wall clock must not move a reject; what decides asks the monotonic clock.
    [GeneratedRegex(@"\bDateTime(?:Offset)?\.(?:Utc)?(?:Now|Today)\b")]
    private static partial Regex WallClock();

    // A sleep is a guess at how long something takes, or a wait that nothing can end.
    [GeneratedRegex(@"\bThread\.Sleep\b")]
    private static partial Regex Sleep();
}
