using System.Security.Cryptography;
using System.Text;

namespace EdgeInspector.Control;

/// <summary>
/// Names this device for the audit log: a digest of the machine's id, which systemd wants kept to itself; where the machine
/// has none, as in a container, of a random one in the data folder.
/// </summary>
internal static class DeviceIdentity
{
    private const string MachineId = "/etc/machine-id";
    private const string OwnId = "device-id";

    /// <summary>32 hexadecimal digits.</summary>
    /// <param name="dataFolder">Where an id is made when the machine has none.</param>
    /// <param name="mayMake">False to look only: then an unknown device is "unknown".</param>
    /// <exception cref="IOException">An id is needed and cannot be written.</exception>
    public static string Of(string dataFolder, bool mayMake = true)
    {
        var own = Path.Combine(dataFolder, OwnId);
        var id = Read(own) ?? Read(MachineId);
        if (id is null)
        {
            if (!mayMake)
            {
                return "unknown";
            }

            id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            DurableFile.Replace(own, Encoding.ASCII.GetBytes(id + "\n"));
        }

        return Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(id), "edge-inspector"u8))[..32];
    }

    private static string? Read(string path)
    {
        try
        {
            var text = File.Exists(path) ? File.ReadAllText(path).Trim() : "";
            return text.Length >= 16 && text != "uninitialized" ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
