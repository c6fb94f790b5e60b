using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;

namespace EdgeInspector.Configuration;

/// <summary>
/// Reads configuration and refuses what it does not understand: unknown keys, values that do not parse, values out of
/// range, rules between keys. It goes through everything and reports all faults at once, so that a file is put right
/// in one round. The framework's own binder ignores unknown keys and stops at the first bad value.
/// </summary>
/// <remarks>
/// Differences from the framework's binder that a file's author notices: a list in configuration replaces the default
/// list (each object in it starts from the default at the same index); enums are names only; a
/// <see cref="TimeSpan"/> is <c>250ms</c>, <c>2s</c>, <c>5min</c>, <c>1h</c>, <c>30d</c> or <c>hh:mm:ss</c>, and a bare
/// number, which the framework takes for days, is refused.
/// </remarks>
internal static class StrictConfiguration
{
    /// <summary>Sections that belong to the framework and are left to it.</summary>
    private static readonly string[] FrameworkSections = ["Logging"];

    /// <summary>Reads all sources and binds them. Never throws for what a user wrote.</summary>
    public static ConfigurationResult<T> Load<T>(ConfigurationInputs inputs)
        where T : class, new()
    {
        var faults = new List<string>();
        var builder = new ConfigurationBuilder();
        var presets = new KeyedSource();
        foreach (var (key, value) in inputs.Presets)
        {
            presets.Add(key, value, "preset");
        }

        builder.Add(presets);
        foreach (var (file, required) in FilesOf(inputs, faults))
        {
            AddFile(builder, file, required, faults);
        }

        builder.Add(FromEnvironment(inputs.Environment ?? ProcessEnvironment()));
        builder.Add(FromSettings(inputs.Settings, faults));
        var root = builder.Build();
        var bound = Bind<T>(root);
        return bound with { Faults = [.. faults, .. bound.Faults] };
    }

    /// <summary>
    /// Binds keys that are already merged. Every key of the root must be known: do not pass a host builder's own
    /// configuration, which holds the whole process environment.
    /// </summary>
    public static ConfigurationResult<T> Bind<T>(IConfigurationRoot root)
        where T : class, new()
    {
        var value = new T();
        var walk = new Walk(root);
        walk.BindObject(value, root.GetChildren(), "", FrameworkSections);
        walk.Validate(value, "");
        return new ConfigurationResult<T>(value, root, walk.Faults);
    }

    private static IEnumerable<(string File, bool Required)> FilesOf(ConfigurationInputs inputs, List<string> faults)
    {
        if (inputs.ProgramFile is { } programFile)
        {
            yield return (programFile, false);
        }

        foreach (var file in FilesIn(inputs.MachineFolder, faults))
        {
            yield return (file, false);
        }

        foreach (var file in inputs.Files)
        {
            yield return (Path.GetFullPath(file), true);
        }
    }

    private static string[] FilesIn(string? folder, List<string> faults)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        try
        {
            var files = Directory.GetFiles(folder, "*.json");
            Array.Sort(files, StringComparer.Ordinal);
            return files;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            faults.Add($"{folder}: cannot be read ({OneLine(error.Message)}); let this user list it");
            return [];
        }
    }

    private static void AddFile(ConfigurationBuilder builder, string file, bool required, List<string> faults)
    {
        if (!File.Exists(file))
        {
            if (required)
            {
                faults.Add($"{file}: there is no such file; name an existing one with --config");
            }

            return;
        }

        // No exclusion filter: by default a file whose name begins with a dot is invisible.
        var source = new JsonConfigurationSource
        {
            Path = Path.GetFileName(file),
            FileProvider = new PhysicalFileProvider(Path.GetDirectoryName(file)!, ExclusionFilters.None),
            ReloadOnChange = false,
        };
        try
        {
            // Read once on its own, so that one broken file does not hide the faults of the next.
            _ = new ConfigurationBuilder().Add(source).Build();
            builder.Add(source);
        }
        catch (Exception error) when (error is InvalidDataException or FormatException)
        {
            faults.Add($"{file}: {SyntaxFault(error)}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            faults.Add($"{file}: cannot be read ({OneLine(error.Message)}); let this user read it");
        }
    }

    private static string SyntaxFault(Exception error)
    {
        for (Exception? inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is JsonException json)
            {
                var what = OneLine(json.Message.Split(" LineNumber:")[0].Split(" Path:")[0]).TrimEnd('.');
                return json.LineNumber is { } line
                    ? $"line {line + 1}, column {json.BytePositionInLine + 1}: not JSON: {what}; correct it there"
                    : $"not JSON: {what}; correct it";
            }
        }

        return $"{OneLine((error.InnerException ?? error).Message).TrimEnd('.')}; correct it";
    }

    private static Dictionary<string, string> ProcessEnvironment()
    {
        var variables = new Dictionary<string, string>();
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            variables[(string)entry.Key] = (string?)entry.Value ?? "";
        }

        return variables;
    }

    private static KeyedSource FromEnvironment(IReadOnlyDictionary<string, string> variables)
    {
        var source = new KeyedSource();
        foreach (var (name, value) in variables.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            // Where the tests find their pictures is no setting of the product.
            if (name.StartsWith(ConfigurationInputs.EnvironmentPrefix, StringComparison.OrdinalIgnoreCase)
                && !name.Equals("EDGEINSPECTOR_TEST_DATA", StringComparison.OrdinalIgnoreCase))
            {
                var key = name[ConfigurationInputs.EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal);
                source.Add(key, value, $"environment {name}");
            }
        }

        return source;
    }

    private static KeyedSource FromSettings(IReadOnlyList<string> settings, List<string> faults)
    {
        var source = new KeyedSource();
        foreach (var setting in settings)
        {
            var equals = setting.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                faults.Add($"--set {setting}: has no key and value; write --set Section:Key=value");
                continue;
            }

            source.Add(setting[..equals].Trim(), setting[(equals + 1)..], $"--set {setting[..equals].Trim()}");
        }

        return source;
    }

    /// <summary>A rule whose message names its key already, for use outside configuration too, does not say it twice.</summary>
    private static string WithoutKey(string message, string key) =>
        message.StartsWith($"{key}: ", StringComparison.OrdinalIgnoreCase) ? message[(key.Length + 2)..] : message;

    internal static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>One pass over one configuration: binds, then validates, collecting faults.</summary>
    private sealed class Walk(IConfigurationRoot root)
    {
        private const BindingFlags PublicInstance = BindingFlags.Public | BindingFlags.Instance;

        private readonly NullabilityInfoContext _nullability = new();
        private readonly HashSet<string> _faulty = new(StringComparer.OrdinalIgnoreCase);

        public List<string> Faults { get; } = [];

        public void BindObject(
            object target,
            IEnumerable<IConfigurationSection> sections,
            string path,
            IReadOnlyCollection<string> passThrough)
        {
            var properties = PropertiesOf(target.GetType());
            foreach (var section in sections)
            {
                if (passThrough.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
                {
                    continue;
                }

                var property = Array.Find(
                    properties,
                    candidate => candidate.Name.Equals(section.Key, StringComparison.OrdinalIgnoreCase));
                if (property is null)
                {
                    var known = properties.Select(candidate => candidate.Name).Concat(passThrough).ToArray();
                    Add(Join(path, section.Key), section.Path, UnknownKey(section.Key, known));
                    continue;
                }

                var key = Join(path, property.Name);
                var current = property.GetValue(target);
                if (TryBind(property.PropertyType, current, section, key, property, out var value)
                    && property.SetMethod is { IsPublic: true })
                {
                    property.SetValue(target, value);
                }
            }
        }

        public void Validate(object target, string path)
        {
            var sound = true;
            foreach (var property in PropertiesOf(target.GetType()))
            {
                var key = Join(path, property.Name);
                if (_faulty.Contains(key))
                {
                    sound = false;
                    continue;
                }

                var value = property.GetValue(target);
                foreach (var attribute in property.GetCustomAttributes<ValidationAttribute>())
                {
                    var context = new ValidationContext(target) { MemberName = property.Name, DisplayName = "it" };
                    if (attribute.GetValidationResult(value, context) is { } result)
                    {
                        Add(key, key, Violation(attribute, property, value, result));
                        sound = false;
                        break;
                    }
                }

                ValidateInside(value, key);
            }

            // Rules between keys would only repeat what is already said about a broken one.
            if (sound && target is IValidatableObject rules)
            {
                foreach (var result in rules.Validate(new ValidationContext(target)))
                {
                    var member = result.MemberNames.FirstOrDefault();
                    var key = member is null ? path : Join(path, member);
                    Add(key, key, WithoutKey(OneLine(result.ErrorMessage ?? "is not valid"), key));
                }
            }
        }

        private void ValidateInside(object? value, string key)
        {
            switch (value)
            {
                case null or string:
                    return;
                case IDictionary dictionary:
                    foreach (DictionaryEntry entry in dictionary)
                    {
                        ValidateInside(entry.Value, Join(key, (string)entry.Key));
                    }

                    return;
                case IEnumerable list:
                    var index = 0;
                    foreach (var element in list)
                    {
                        ValidateInside(element, Join(key, index.ToString(CultureInfo.InvariantCulture)));
                        index++;
                    }

                    return;
                default:
                    if (!OptionValues.IsScalar(value.GetType()))
                    {
                        Validate(value, key);
                    }

                    return;
            }
        }

        private bool TryBind(
            Type declared,
            object? current,
            IConfigurationSection section,
            string key,
            PropertyInfo property,
            out object? value)
        {
            var type = Nullable.GetUnderlyingType(declared) ?? declared;
            var children = section.GetChildren().ToArray();
            if (OptionValues.IsScalar(type))
            {
                return TryBindScalar(type, children, section, key, property, out value);
            }

            // An empty object or list reads as an empty or absent value; anything else is a value in the wrong place.
            if (children.Length == 0 && !string.IsNullOrEmpty(section.Value))
            {
                value = null;
                return Add(key, section.Path, $"'{section.Value}' is a single value; {ShapeOf(type, key)}");
            }

            if (ElementOfDictionary(type) is { } valueType)
            {
                return TryBindDictionary(valueType, current as IDictionary, children, key, property, out value);
            }

            if (ElementOfList(type) is { } elementType)
            {
                return TryBindList(type, elementType, current as IEnumerable, children, key, property, out value);
            }

            value = current ?? Activator.CreateInstance(type)!;
            BindObject(value, children, key, []);
            return true;
        }

        private bool TryBindScalar(
            Type type,
            IConfigurationSection[] children,
            IConfigurationSection section,
            string key,
            PropertyInfo property,
            out object? value)
        {
            value = null;
            var range = property.GetCustomAttribute<RangeAttribute>();
            if (children.Length > 0)
            {
                return Add(key, section.Path, $"is a section; give {OptionValues.Describe(type, range)}");
            }

            if (section.Value is not { } text)
            {
                return MayBeNull(property)
                    || Add(key, section.Path, $"is null; give {OptionValues.Describe(type, range)} or leave the key out");
            }

            if (text.Length == 0 && type != typeof(string) && MayBeNull(property))
            {
                return true;
            }

            return OptionValues.TryParse(type, text, out value)
                || Add(key, section.Path, $"{Quote(key, text)} does not parse; give {OptionValues.Describe(type, range)}");
        }

        private bool TryBindDictionary(
            Type valueType,
            IDictionary? current,
            IConfigurationSection[] children,
            string key,
            PropertyInfo property,
            out object? value)
        {
            var dictionary = (IDictionary)Activator.CreateInstance(
                typeof(Dictionary<,>).MakeGenericType(typeof(string), valueType))!;
            foreach (DictionaryEntry entry in current ?? new Hashtable())
            {
                dictionary[entry.Key] = entry.Value;
            }

            foreach (var child in children)
            {
                if (TryBind(valueType, dictionary[child.Key], child, Join(key, child.Key), property, out var element))
                {
                    dictionary[child.Key] = element;
                }
            }

            value = dictionary;
            return true;
        }

        private bool TryBindList(
            Type type,
            Type elementType,
            IEnumerable? current,
            IConfigurationSection[] children,
            string key,
            PropertyInfo property,
            out object? value)
        {
            value = null;
            var defaults = current?.Cast<object?>().ToArray() ?? [];
            var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(elementType))!;
            var numbered = new SortedDictionary<int, IConfigurationSection>();
            foreach (var child in children)
            {
                if (!int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                {
                    return Add(Join(key, child.Key), child.Path, $"is no list index; {ShapeOf(type, key)}");
                }

                numbered[index] = child;
            }

            foreach (var (index, child) in numbered)
            {
                var elementKey = Join(key, index.ToString(CultureInfo.InvariantCulture));
                if (index != list.Count)
                {
                    return Add(
                        elementKey, child.Path, $"has no neighbour at {list.Count}; number the list from 0 without gaps");
                }

                var start = index < defaults.Length ? defaults[index] : null;
                var bound = TryBind(elementType, start, child, elementKey, property, out var element);
                list.Add(bound ? element : DefaultOf(elementType));
            }

            value = type.IsArray ? ToArray(list, elementType) : list;
            if (property.SetMethod is not { IsPublic: true } && current is IList { IsReadOnly: false } own)
            {
                own.Clear();
                foreach (var element in list)
                {
                    own.Add(element);
                }
            }

            return true;
        }

        private static Array ToArray(IList list, Type elementType)
        {
            var array = Array.CreateInstance(elementType, list.Count);
            list.CopyTo(array, 0);
            return array;
        }

        private static object? DefaultOf(Type type) => type.IsValueType ? Activator.CreateInstance(type) : null;

        private bool MayBeNull(PropertyInfo property) =>
            Nullable.GetUnderlyingType(property.PropertyType) is not null
            || (!property.PropertyType.IsValueType
                && _nullability.Create(property).WriteState == NullabilityState.Nullable);

        private static string Violation(
            ValidationAttribute attribute,
            PropertyInfo property,
            object? value,
            ValidationResult result)
        {
            if (attribute is RequiredAttribute)
            {
                return "is missing; set it";
            }

            var shown = value is null ? "is not set" : Quote(property.Name, OptionValues.Show(value));
            if (attribute is RangeAttribute range && range.ErrorMessage is null)
            {
                return $"{shown} is out of range; give {OptionValues.Describe(property.PropertyType, range)}";
            }

            var message = OneLine(result.ErrorMessage ?? "is not valid").TrimEnd('.');
            return value is null or (not string and IEnumerable) ? message : $"{shown}: {message}";
        }

        private static string UnknownKey(string key, IReadOnlyList<string> known)
        {
            var near = NearestName.Of(key, known);
            return near is not null
                ? $"unknown key; did you mean {near}?"
                : $"unknown key; known here: {string.Join(", ", known.Order(StringComparer.Ordinal))}";
        }

        private static string ShapeOf(Type type, string key)
        {
            if (ElementOfDictionary(type) is not null)
            {
                return $"give keys and values under {key}";
            }

            return ElementOfList(type) is not null
                ? $"give a list ({key}:0, {key}:1, ...)"
                : $"give a section with {string.Join(", ", PropertiesOf(type).Select(property => property.Name))}";
        }

        private static string Quote(string key, string text)
        {
            string[] secret = ["password", "secret", "token", "passphrase"];
            return secret.Any(word => key.Contains(word, StringComparison.OrdinalIgnoreCase)) ? "the value" : $"'{text}'";
        }

        private static PropertyInfo[] PropertiesOf(Type type) =>
        [
            .. type.GetProperties(PublicInstance).Where(property =>
                property.GetIndexParameters().Length == 0
                && property.GetMethod is { IsPublic: true }
                && (property.SetMethod is { IsPublic: true }
                    || typeof(IList).IsAssignableFrom(property.PropertyType))),
        ];

        private static Type? ElementOfDictionary(Type type) =>
            InterfacesOf(type)
                .Where(face => face.IsGenericType
                    && (face.GetGenericTypeDefinition() == typeof(IDictionary<,>)
                        || face.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
                    && face.GetGenericArguments()[0] == typeof(string))
                .Select(face => face.GetGenericArguments()[1])
                .FirstOrDefault();

        private static Type? ElementOfList(Type type) =>
            InterfacesOf(type)
                .Where(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IEnumerable<>))
                .Select(face => face.GetGenericArguments()[0])
                .FirstOrDefault();

        private static IEnumerable<Type> InterfacesOf(Type type) =>
            type.IsInterface ? type.GetInterfaces().Prepend(type) : type.GetInterfaces();

        private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}:{key}";

        /// <summary>Always false, so that a caller can return it.</summary>
        private bool Add(string key, string sourcePath, string what)
        {
            _faulty.Add(key);
            var origin = OriginOf(sourcePath);
            var place = key.Length == 0 ? "configuration" : key;
            Faults.Add(OneLine(origin is null ? $"{place}: {what}" : $"{origin}: {place}: {what}"));
            return false;
        }

        /// <summary>The strongest source that has the key or something beneath it.</summary>
        private string? OriginOf(string path)
        {
            foreach (var provider in root.Providers.Reverse())
            {
                var key = path;
                while (!provider.TryGet(key, out _))
                {
                    if (provider.GetChildKeys([], key).FirstOrDefault() is not { } child)
                    {
                        key = null;
                        break;
                    }

                    key = Join(key, child);
                }

                if (key is not null)
                {
                    return NameOf(provider, key);
                }
            }

            return null;
        }

        private static string? NameOf(IConfigurationProvider provider, string key) => provider switch
        {
            JsonConfigurationProvider { Source: { Path: { } path } source } =>
                source.FileProvider?.GetFileInfo(path).PhysicalPath ?? path,
            KeyedSource keyed => keyed.OriginOf(key),
            _ => null,
        };
    }
}
