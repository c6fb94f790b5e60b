using System.Security.Cryptography;
using System.Text;
using EdgeInspector.Line;

namespace EdgeInspector.Web;

/// <summary>Somebody whom a token names.</summary>
internal sealed record TokenHolder(string Name, Role Role);

/// <summary>
/// Tokens of programs and people, one a line: name, role and <c>sha256:</c> with the token's digest in hexadecimal; lines
/// that begin with # are remarks. Tokens are 256 random bits made by <c>edge-inspector token new</c>, so a plain digest keeps
/// them as well as a slow one would, and checking one costs nothing that somebody could make the line pay for. The file is
/// read again when it changes; while it cannot be read, no token is good. Any thread.
/// </summary>
internal sealed class TokenFile
{
    /// <summary>What every token begins with, so that a leaked one is known for what it is.</summary>
    public const string Prefix = "ei_";

    private const string Scheme = "sha256:";
    private const int MaximumTokens = 1000;
    private const UnixFileMode World = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;

    private readonly Lock _gate = new();
    private readonly string _path;
    private (DateTime Written, long Length) _read;
    private Entry[] _entries = [];

    /// <summary>Reads the file.</summary>
    /// <exception cref="SettingException">It cannot be used; one line.</exception>
    public TokenFile(string path)
    {
        _path = path;
        if (!TryRead(out _entries, out _read, out var fault))
        {
            throw new SettingException($"Web:TokenFile: {fault}");
        }
    }

    /// <summary>How many there are.</summary>
    public int Count => _entries.Length;

    /// <summary>A new token, and the line that lets its holder in.</summary>
    public static (string Token, string Line) Create(string name, Role role)
    {
        var token = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return (token, $"{name} {role.ToString().ToLowerInvariant()} {Scheme}{Convert.ToHexStringLower(Digest(token))}");
    }

    /// <summary>Whose token it is; null when nobody's. Takes equally long whichever it is, and whether it is one.</summary>
    public TokenHolder? Find(string token)
    {
        var digest = Digest(token);
        TokenHolder? found = null;
        foreach (var entry in Current())
        {
            if (CryptographicOperations.FixedTimeEquals(entry.Digest, digest))
            {
                found = entry.Holder;
            }
        }

        return found;
    }

    /// <summary>What is wrong with a file of tokens, in one line; null when nothing is.</summary>
    public static string? Fault(string path) => TryParse(path, out _, out _, out var fault) ? null : fault;

    private Entry[] Current()
    {
        lock (_gate)
        {
            var file = new FileInfo(_path);
            if (!file.Exists || (file.LastWriteTimeUtc, file.Length) != _read)
            {
                _ = TryRead(out _entries, out _read, out _);
            }

            return _entries;
        }
    }

    private bool TryRead(out Entry[] entries, out (DateTime, long) read, out string fault) =>
        TryParse(_path, out entries, out read, out fault);

    private static bool TryParse(string path, out Entry[] entries, out (DateTime, long) read, out string fault)
    {
        (entries, read, fault) = ([], default, "");
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                fault = $"{path} does not exist; make one with: edge-inspector token new --name NAME --role ROLE --file {path}";
                return false;
            }

            read = (file.LastWriteTimeUtc, file.Length);
            var target = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
            var mode = OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(target.FullName);
            if ((mode & World) != 0)
            {
                fault = $"{path} can be read or changed by others (mode {Convert.ToString((int)mode, 8)}); run: chmod 600 {path}";
                return false;
            }

            var found = new List<Entry>();
            foreach (var (index, line) in File.ReadLines(path).Index())
            {
                var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
                if (words is [] || words[0].StartsWith('#'))
                {
                    continue;
                }

                // The line itself is not repeated: somebody may have written a token into it.
                if (
                    words is not [{ Length: <= 64 } name, var role, var digest]
                    || !Enum.TryParse<Role>(role, ignoreCase: true, out var known)
                    || !Enum.IsDefined(known)
                    || char.IsAsciiDigit(role[0])
                    || !digest.StartsWith(Scheme, StringComparison.Ordinal)
                    || digest.Length != Scheme.Length + 64
                    || !digest[Scheme.Length..].All(char.IsAsciiHexDigit)
                )
                {
                    fault = $"{path}, line {index + 1}: is not 'name role sha256:digest' with a role of viewer, operator, qa, engineer or admin";
                    return false;
                }

                found.Add(new Entry(new TokenHolder(name, known), Convert.FromHexString(digest.AsSpan(Scheme.Length))));
                if (found.Count > MaximumTokens)
                {
                    fault = $"{path}: has more than {MaximumTokens} tokens";
                    return false;
                }
            }

            entries = [.. found];
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"{path} cannot be read: {e.Message}";
            return false;
        }
    }

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private sealed record Entry(TokenHolder Holder, byte[] Digest);
}
