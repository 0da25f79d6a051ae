using System.CommandLine;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary>How a node is set up: each value from its flag, else from its environment variable, else from the file of --config, else as usual.</summary>
internal sealed record NodeConfig
{
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

    public static readonly Option<string?> Rpc = new("--rpc")
    {
        Description = "Where the ledger is on a chain: nodes of it, with ',' between. Default: those that the run's folder names.",
    };

    public static readonly Option<string?> Account = new("--account") { Description = ChainConfig.Account.Description };

    public static readonly Option<string?> FeeMax = new("--fee-max") { Description = ChainConfig.FeeMax.Description };

    public static readonly Option<bool> PrintConfig = new("--print-config") { Description = "Print every value and where it comes from, and do nothing else." };

    /// <summary>All of them, for a verb that starts a node.</summary>
    public static IReadOnlyList<Option> All { get; } = [Config, Dir, Name, Threads, Steps, Store, StoreKeys, Upload, Download, Health, Rpc, Account, FeeMax, PrintConfig];

    /// <summary>Every value and where it comes from.</summary>
    public required IReadOnlyList<(string Name, string Value, string From)> Values { get; init; }

    public string? Folder { get; init; }

    public string? NodeName { get; init; }

    public int ThreadCount { get; init; }

    public int? StepCount { get; init; }

    public string? OwnStore { get; init; }

    public required StoreAccess Access { get; init; }

    public string? HealthAddress { get; init; }

    public required ChainOptions Chain { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="parsed">The command line.</param>
    /// <exception cref="InputException">A value is none, or a name in the file is not known.</exception>
    public static NodeConfig Read(ParseResult parsed)
    {
        var from = new ConfigSource(parsed, Config, [.. All.Except([Config, PrintConfig])]);
        var keys = from.Text(StoreKeys);
        var access = new StoreAccess
        {
            Writer = StoreAccess.FindWriter(keys),
            Options = new S3Options { UpBytesPerSecond = from.Rate(Upload), DownBytesPerSecond = from.Rate(Download) },
        };
        from.Add("account", access.Writer?.AccessKey ?? "none", keys ?? "environment");
        return new NodeConfig
        {
            Folder = from.Text(Dir),
            NodeName = from.Text(Name),
            ThreadCount = from.Number(Threads) ?? Environment.ProcessorCount,
            StepCount = from.Number(Steps),
            OwnStore = from.Text(Store),
            HealthAddress = from.Text(Health),
            Access = access,
            Chain = ChainConfig.ReadNode(
                from.Text(Rpc)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), from.Text(Account), from.Text(FeeMax)),
            Values = from.Values,
        };
    }
}
