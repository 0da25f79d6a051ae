using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary>How a node is set up: each value from its flag, else from its environment variable, else from the file of --config, else as usual.</summary>
internal sealed class NodeConfig
{
    private const long FileBytesMax = 1 << 16;
    private const double BytesPerMegabit = 1e6 / 8;

    public static readonly Option<string?> Config = new("--config") { Description = "A JSON file of these options: {\"name\": \"alice\", \"store\": \"s3://…\"}." };
    public static readonly Option<string?> Dir = new("--dir") { Description = "The run's folder. Default: the newest under runs/." };
    public static readonly Option<string?> Name = new("--name")
    {
        Description = "The node's name. A peer of a new name gets a key of its own and joins the run.",
    };

    public static readonly Option<int?> Threads = new("--threads") { Description = "Threads to compute with. Default: all processors." };
    public static readonly Option<int?> Steps = new("--steps")
    {
        Description = "Of a peer: inner steps in a round, for one that is slower than the others; it is paid for those. Default: as before, at first those of the rules.",
    };

    public static readonly Option<string?> Store = new("--store")
    {
        Description = "Where this node puts its objects, and with what others may read them: s3://bucket/prefix?endpoint=https://host&reader=key:secret. " +
            "Default: its part of the run's store.",
    };

    public static readonly Option<string?> StoreKeys = new("--store-keys")
    {
        Description = "A file {\"accessKey\", \"secretKey\"} of the account that writes, readable by its owner alone. " +
            $"Default: {StoreAccess.AccessKeyVariable} and {StoreAccess.SecretKeyVariable}.",
    };

    public static readonly Option<double?> Upload = new("--upload") { Description = "Most megabits a second to send. Default: no limit." };
    public static readonly Option<double?> Download = new("--download") { Description = "Most megabits a second to receive. Default: no limit." };
    public static readonly Option<string?> Health = new("--health")
    {
        Description = "Answer /healthz, /readyz, /status and /metrics there: 127.0.0.1:9464. Default: nowhere.",
    };

    public static readonly Option<bool> PrintConfig = new("--print-config") { Description = "Print every value and where it comes from, and do nothing else." };

    private readonly List<(string Name, string Value, string From)> _values = [];
    private readonly ParseResult _parsed;
    private readonly Dictionary<string, JsonElement> _file;
    private readonly string? _path;

    private NodeConfig(ParseResult parsed)
    {
        _parsed = parsed;
        _path = parsed.GetValue(Config) ?? Environment.GetEnvironmentVariable(VariableOf("config"));
        _file = ReadFile(_path);
    }

    /// <summary>All of them, for a verb that starts a node.</summary>
    public static IReadOnlyList<Option> All { get; } = [Config, Dir, Name, Threads, Steps, Store, StoreKeys, Upload, Download, Health, PrintConfig];

    /// <summary>Every value and where it comes from.</summary>
    public IReadOnlyList<(string Name, string Value, string From)> Values => _values;

    public required string? Folder { get; init; }

    public required string? NodeName { get; init; }

    public required int ThreadCount { get; init; }

    public required string? OwnStore { get; init; }

    public required StoreAccess Access { get; init; }

    public required string? HealthAddress { get; init; }

    public required int? StepCount { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="parsed">The command line.</param>
    /// <exception cref="InputException">A value is none, or a name in the file is not known.</exception>
    public static NodeConfig Read(ParseResult parsed)
    {
        var at = new NodeConfig(parsed) { Folder = null, NodeName = null, ThreadCount = 1, OwnStore = null, Access = new StoreAccess(), HealthAddress = null, StepCount = null };
        var unknown = at._file.Keys.Where(name => All.All(option => option == Config || option == PrintConfig || NameOf(option) != name)).ToList();
        if (unknown.Count > 0)
        {
            var known = string.Join(", ", All.Select(NameOf).Except(["config", "printConfig"]));
            throw new InputException($"{at._path} has '{unknown[0]}', which is no option of a node: {known} are.");
        }

        var (folder, name) = (at.Text(Dir), at.Text(Name));
        var threads = at.Number(Threads, Environment.ProcessorCount);
        int? steps = at.Number(Steps, 0) is > 0 and var given ? given : null;
        var store = at.Text(Store);
        var keys = at.Text(StoreKeys);
        var options = new S3Options { UpBytesPerSecond = at.Rate(Upload), DownBytesPerSecond = at.Rate(Download) };
        var access = new StoreAccess { Writer = StoreAccess.FindWriter(keys), Options = options };
        at._values.Add(("account", access.Writer?.AccessKey ?? "none", keys is null ? "environment" : keys));
        var read = new NodeConfig(parsed) { Folder = folder, NodeName = name, ThreadCount = threads, OwnStore = store, Access = access, HealthAddress = at.Text(Health), StepCount = steps };
        read._values.AddRange(at._values);
        return read;
    }

    /// <summary>The name under which an option stands in the file.</summary>
    private static string NameOf(Option option)
    {
        var words = option.Name.TrimStart('-').Split('-');
        return words[0] + string.Concat(words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static string VariableOf(string optionName) => "CAIRN_" + optionName.TrimStart('-').Replace('-', '_').ToUpperInvariant();

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
                : JsonSerializer.Deserialize(File.ReadAllBytes(path), NodeConfigJson.Default.DictionaryStringJsonElement) ?? [];
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

    private string? Text(Option<string?> option) => Find(option, _parsed.GetValue(option), text => text, "not given");

    private int Number(Option<int?> option, int usual)
    {
        var text = Find(option, _parsed.GetValue(option)?.ToString(CultureInfo.InvariantCulture), text => text, usual.ToString(CultureInfo.InvariantCulture));
        return text is null ? usual
            : int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number
            : throw new InputException($"{option.Name} is '{text}', which is no whole number.");
    }

    private long? Rate(Option<double?> option)
    {
        var text = Find(option, _parsed.GetValue(option)?.ToString(CultureInfo.InvariantCulture), text => text + " Mb/s", "no limit");
        return text is null ? null
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1e6 ? (long)(number * BytesPerMegabit)
            : throw new InputException($"{option.Name} is '{text}', must be above 0 and at most 1,000,000 megabits a second.");
    }

    private string? Find(Option option, string? flag, Func<string, string> shown, string otherwise)
    {
        var (name, variable) = (NameOf(option), VariableOf(option.Name));
        var (value, from) = flag is not null ? (flag, option.Name)
            : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set ? (set, variable)
            : _file.TryGetValue(name, out var element) ? (element.ToString(), _path!)
            : ((string?)null, "default");
        _values.Add((name, value is null ? otherwise : shown(value), from));
        return value;
    }
}

[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class NodeConfigJson : JsonSerializerContext;
