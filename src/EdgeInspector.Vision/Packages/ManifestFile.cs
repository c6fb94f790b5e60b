using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeInspector.Vision.Packages;

/// <summary>Reads and writes manifest.json, strictly: unknown, doubled and missing keys are errors.</summary>
internal static class ManifestFile
{
    private const long Largest = 1 << 20;

    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            new JsonStringEnumConverter<DetectorFormat>(null, allowIntegerValues: false),
            new JsonStringEnumConverter<BoxForm>(null, allowIntegerValues: false),
            new JsonStringEnumConverter<ClassifierFormat>(null, allowIntegerValues: false),
            new JsonStringEnumConverter<ChannelOrder>(null, allowIntegerValues: false),
            new JsonStringEnumConverter<FitMode>(null, allowIntegerValues: false),
            new JsonStringEnumConverter<ResampleMode>(null, allowIntegerValues: false),
            new JsonStringEnumConverter<InputLayout>(null, allowIntegerValues: false),
            new JsonStringEnumConverter<InputElement>(null, allowIntegerValues: false),
        },
    };

    /// <exception cref="ModelPackageException">Not there, not readable, or not a manifest.</exception>
    public static ModelManifest Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new ModelPackageException(Directory.Exists(Path.GetDirectoryName(path))
                    ? $"{path}: there is no such file; name a folder that holds a model package."
                    : $"{Path.GetDirectoryName(path)}: there is no such folder; name a model package.");
            }

            if (file.Length > Largest)
            {
                throw new ModelPackageException($"{path}: larger than 1 MiB; a manifest is a few kilobytes.");
            }

            return JsonSerializer.Deserialize<ModelManifest>(File.ReadAllBytes(path), Format)
                ?? throw new ModelPackageException($"{path}: holds null; write a manifest.");
        }
        catch (JsonException exception)
        {
            throw new ModelPackageException($"{path}{Where(exception)}: {What(exception)}.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelPackageException(
                $"{path}: cannot be read ({exception.Message}); check its rights.", exception);
        }
    }

    public static byte[] Write(ModelManifest manifest) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(manifest, Format), (byte)'\n'];

    /// <summary>The reader counts lines from 0.</summary>
    private static string Where(JsonException exception) =>
        exception.LineNumber is { } line ? $", line {line + 1}" : "";

    /// <summary>The serializer speaks of .NET types; the reader of this message wrote JSON.</summary>
    private static string What(JsonException exception)
    {
        var message = exception.Message;
        var key = exception.Path is { Length: > 2 } path ? path[2..] : "manifest";
        if (message.Contains("could not be mapped", StringComparison.Ordinal))
        {
            return $"unknown key '{key}'; remove it or correct its spelling";
        }

        if (message.Contains("missing required properties", StringComparison.Ordinal))
        {
            var names = message[(message.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim().TrimEnd('.');
            return $"in '{key}' {names} is missing; add it";
        }

        if (message.Contains("uplicate", StringComparison.Ordinal))
        {
            return $"'{key}' appears twice; remove one";
        }

        return exception.InnerException is null && message.Contains("could not be converted", StringComparison.Ordinal)
            ? $"'{key}' has a value of the wrong kind; see the package format"
            : $"not valid JSON at '{key}' ({FirstSentence(message)}); correct it";
    }

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.');
    }
}
