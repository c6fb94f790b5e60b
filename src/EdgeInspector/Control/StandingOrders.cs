using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeInspector.Line;

namespace EdgeInspector.Control;

/// <summary>What commands have changed at a station, for as long as no other command changes it back.</summary>
internal sealed record StationOrders
{
    /// <summary>Somebody paused it, and nobody has armed it since.</summary>
    public bool Paused { get; init; }

    /// <summary>The recipe changed to; null for the one that the settings put in force.</summary>
    public string? Recipe { get; init; }

    /// <summary>Thresholds by recipe.</summary>
    public IReadOnlyDictionary<string, double> Thresholds { get; init; } = new Dictionary<string, double>();
}

/// <summary>
/// Keeps what commands have changed over a restart, in one small file: a power cut must neither start a line that somebody
/// paused nor bring the morning's recipe back. Any thread.
/// </summary>
internal sealed class StandingOrders
{
    /// <summary>The file, in the data folder.</summary>
    public const string FileName = "orders.json";

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly Dictionary<string, StationOrders> _byStation;

    private StandingOrders(string path, Dictionary<string, StationOrders> byStation, string? fault) =>
        (_path, _byStation, Fault) = (path, byStation, fault);

    /// <summary>Why nothing is known, in one line; null when all is. Then every station counts as paused.</summary>
    public string? Fault { get; }

    /// <summary>Reads the file; one that is missing means that nothing was changed.</summary>
    public static StandingOrders Read(string dataFolder)
    {
        var path = Path.Combine(dataFolder, FileName);
        try
        {
            var orders = File.Exists(path)
                ? JsonSerializer.Deserialize(File.ReadAllBytes(path), OrdersJson.Default.DictionaryStringStationOrders)
                : [];
            return new StandingOrders(path, orders ?? [], null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return new StandingOrders(
                path,
                [],
                $"{path} cannot be read ({e.Message}): recipe and thresholds are those of the settings, and each station has to be armed"
            );
        }
    }

    /// <summary>What was changed at a station.</summary>
    public StationOrders Of(string station)
    {
        lock (_gate)
        {
            return _byStation.GetValueOrDefault(station) ?? new StationOrders { Paused = Fault is not null };
        }
    }

    /// <summary>Changes it; on the disk when it returns.</summary>
    /// <exception cref="IOException">It could not be written. It holds until the service stops.</exception>
    public void Change(string station, Func<StationOrders, StationOrders> change)
    {
        lock (_gate)
        {
            _byStation[station] = change(Of(station));
            try
            {
                DurableFile.Replace(
                    _path,
                    JsonSerializer.SerializeToUtf8Bytes(_byStation, OrdersJson.Default.DictionaryStringStationOrders)
                );
            }
            catch (UnauthorizedAccessException e)
            {
                throw new IOException(e.Message, e);
            }
        }
    }

    /// <summary>
    /// The recipes of a station as orders have them, the one in force first. What the settings no longer have or allow is
    /// passed over, and said.
    /// </summary>
    /// <returns>What was passed over, in one line; null when nothing was.</returns>
    public static string? Apply(StationOrders orders, ref Recipe inForce, IList<Recipe> others)
    {
        List<string> passed = [];
        if (orders.Recipe is { } name && name != inForce.Name)
        {
            var found = others.FirstOrDefault(recipe => recipe.Name == name);
            if (found is null)
            {
                passed.Add($"recipe '{name}', which was in force, is no longer in the settings");
            }
            else
            {
                others[others.IndexOf(found)] = inForce;
                inForce = found;
            }
        }

        foreach (var (recipe, threshold) in orders.Thresholds)
        {
            if (recipe == inForce.Name && inForce.Allows(threshold))
            {
                inForce = inForce.With(threshold);
            }
            else if (others.FirstOrDefault(one => one.Name == recipe) is { } other && other.Allows(threshold))
            {
                others[others.IndexOf(other)] = other.With(threshold);
            }
            else
            {
                passed.Add(FormattableString.Invariant($"threshold {threshold} of recipe '{recipe}' is not in the settings' limits"));
            }
        }

        return passed.Count == 0 ? null : string.Join("; ", passed);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    WriteIndented = true
)]
[JsonSerializable(typeof(Dictionary<string, StationOrders>))]
internal sealed partial class OrdersJson : JsonSerializerContext;
