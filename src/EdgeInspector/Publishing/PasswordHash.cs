using System.Globalization;
using System.Security.Cryptography;

namespace EdgeInspector.Publishing;

/// <summary>
/// Salted password hashes as text: <c>pbkdf2-sha512$iterations$salt$hash</c>, salt and hash in base 64.
/// </summary>
internal static class PasswordHash
{
    /// <summary>OWASP's password storage figure for PBKDF2 with HMAC-SHA512.</summary>
    public const int Iterations = 210_000;

    private const string Scheme = "pbkdf2-sha512";
    private const int SaltBytes = 16;
    private const int HashBytes = 32;

    /// <summary>A stored hash with more rounds than this would let a configuration file stall every login.</summary>
    private const int MaxIterations = 10_000_000;

    /// <summary>Hashes a password with a fresh salt.</summary>
    public static string Create(string password, int iterations = Iterations)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var hash = Derive(password, salt, iterations, HashBytes);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Scheme}${iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}"
        );
    }

    /// <summary>Whether the text is a hash this class made or could have made.</summary>
    public static bool IsHash(string text) => TryParse(text, out _, out _, out _);

    /// <summary>Whether the password belongs to the hash; takes equally long whatever differs.</summary>
    public static bool Verify(string password, string stored) =>
        TryParse(stored, out var iterations, out var salt, out var hash)
        && CryptographicOperations.FixedTimeEquals(Derive(password, salt, iterations, hash.Length), hash);

    private static byte[] Derive(string password, byte[] salt, int iterations, int length) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA512, length);

    private static bool TryParse(string text, out int iterations, out byte[] salt, out byte[] hash)
    {
        iterations = 0;
        salt = [];
        hash = [];
        var parts = text.Split('$');
        if (parts.Length != 4 || parts[0] != Scheme)
        {
            return false;
        }

        if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out iterations))
        {
            return false;
        }

        try
        {
            salt = Convert.FromBase64String(parts[2]);
            hash = Convert.FromBase64String(parts[3]);
        }
        catch (FormatException)
        {
            return false;
        }

        return iterations is > 0 and <= MaxIterations && salt.Length >= 8 && hash.Length >= 16;
    }
}
