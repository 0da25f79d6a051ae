using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Cli.Verbs;

/// <summary>Where the values of options come from: flags before environment variables (CAIRN_NAME for --name) before a JSON file; and a list of which came from
/// where.</summary>
internal sealed class ConfigSource
{
    private const long FileBytesMax = 1 << 16;
    private const double BytesPerMegabit = 1e6 / 8;
    private readonly List<(string Name, string Value, string From)> _values = [];
    private readonly ParseResult _parsed;
    private readonly Dictionary<string, JsonElement> _file;
    private readonly string? _path;

    /// <summary>Opens them.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="config">The option that names the file.</param>
    /// <param name="known">The options that the file may hold.</param>
    /// <exception cref="InputException">The file cannot be read, is no JSON object, or holds something else.</exception>
    public ConfigSource(ParseResult parsed, Option<string?> config, IReadOnlyList<Option> known)
    {
        _parsed = parsed;
        _path = parsed.GetValue(config) ?? Environment.GetEnvironmentVariable(VariableOf(config));
        _file = ReadFile(_path);
        if (_file.Keys.FirstOrDefault(name => !known.Any(option => NameOf(option) == name)) is { } unknown)
        {
            throw new InputException($"{_path} has '{unknown}', which is no option of a node: {string.Join(", ", known.Select(NameOf))} are.");
        }
    }

    /// <summary>Every value asked for, and where it came from.</summary>
    public IReadOnlyList<(string Name, string Value, string From)> Values => _values;

    /// <summary>Lists a value that was found elsewhere.</summary>
    public void Add(string name, string value, string from) => _values.Add((name, value, from));

    public string? Text(Option<string?> option) => Find(option, _parsed.GetValue(option), "");

    public int? Number(Option<int?> option)
    {
        var text = Find(option, _parsed.GetValue(option)?.ToString(CultureInfo.InvariantCulture), "");
        return text is null ? null
            : int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number
            : throw new InputException($"{option.Name} is '{text}', which is no whole number.");
    }

    /// <summary>Bytes a second, given in megabits.</summary>
    public long? Rate(Option<double?> option)
    {
        var text = Find(option, _parsed.GetValue(option)?.ToString(CultureInfo.InvariantCulture), " Mb/s");
        return text is null ? null
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1e6 ? (long)(number * BytesPerMegabit)
            : throw new InputException($"{option.Name} is '{text}', must be above 0 and at most 1,000,000 megabits a second.");
    }

    // --store-keys stands in the file as storeKeys and in the environment as CAIRN_STORE_KEYS.
    private static string NameOf(Option option)
    {
        var words = option.Name.TrimStart('-').Split('-');
        return words[0] + string.Concat(words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static string VariableOf(Option option) => "CAIRN_" + option.Name.TrimStart('-').Replace('-', '_').ToUpperInvariant();

    private static Dictionary<string, JsonElement> ReadFile(string? path)
    {
        if (path is null)
        {
            return [];
        }

        try
        {
            return new FileInfo(path).Length > FileBytesMax
                ? throw new InputException($"{path} is too long for the options of a node.")
                : JsonSerializer.Deserialize(File.ReadAllBytes(path), ConfigJson.Default.DictionaryStringJsonElement) ?? [];
        }
        catch (JsonException e)
        {
            throw new InputException($"{path} is no JSON object of options: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot read {path}: {e.Message} Correct --config.", e);
        }
    }

    private string? Find(Option option, string? flag, string unit)
    {
        var (name, variable) = (NameOf(option), VariableOf(option));
        var (value, from) = flag is not null ? (flag, option.Name)
            : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set ? (set, variable)
            : _file.TryGetValue(name, out var element) ? (element.ToString(), _path!)
            : ((string?)null, "default");
        _values.Add((name, value is null ? "not given" : value + unit, from));
        return value;
    }
}

[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class ConfigJson : JsonSerializerContext;
