using System.CommandLine;
using Cairn.Base;
using Cairn.Data;
using Cairn.Node;
using Cairn.Web;

namespace Cairn.Cli.Verbs;

/// <summary>A run made ready to be looked at: one whose folder is here, or one of others of which somebody knows ledger and store. What had to be
/// fetched for it lies in a folder that goes with it; a ledger on a chain is followed as long as it is looked at.</summary>
internal sealed class WatchedRun : IAsyncDisposable
{
    /// <summary>What stands for a ledger on a chain.</summary>
    public const string OnChain = "evm";

    public static readonly Option<string?> Dir = new("--dir") { Description = "The run's folder. Default: the newest under runs/." };
    public static readonly Option<string?> Baseline = new("--baseline")
    {
        Description = "The folder of a training to show beside the run (cairn train --like). Default: the folder baseline in that of the run, if there is one.",
    };

    public static readonly Option<string?> Ledger = new("--ledger")
    {
        Description = $"Instead of a run's folder: the file of its ledger, or {OnChain} for one on a chain (then --rpc, --contract and --run say which).",
    };

    public static readonly Option<string?> Store = new("--store")
    {
        Description = "With --ledger: the run's common store, a folder or s3://bucket/prefix?endpoint=https://host, as its invite names it.",
    };

    private readonly string? _fetched;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _following;

    private WatchedRun(RunDirectory directory, RunSources sources, string? fetched, IReadOnlyList<string> nodes)
    {
        (Sources, _fetched) = (sources, fetched);
        var chain = directory.Places.Chain;
        _following = chain is null ? Task.CompletedTask
            : Task.Run(() => ChainWatch.FollowAsync(directory.Ledger, nodes.Count > 0 ? chain with { Nodes = nodes } : chain, Console.Error.WriteLine, _stop.Token));
    }

    /// <summary>Where its files are.</summary>
    public RunSources Sources { get; }

    /// <summary>Makes the run ready that the command line names.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">There is no such run.</exception>
    public static async Task<WatchedRun> OpenAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (ledger, store) = (parsed.GetValue(Ledger), parsed.GetValue(Store));
        if ((ledger is null) != (store is null) || (ledger is not null && parsed.GetValue(Dir) is not null))
        {
            throw new InputException("name a run by --dir, or by --ledger and --store together.");
        }

        var nodes = parsed.GetValue(ChainConfig.Rpc) ?? [];
        if (ledger is null)
        {
            var here = new RunDirectory(parsed.GetValue(Dir) ?? RunFolders.Newest());
            return new WatchedRun(here, SourcesOf(here, parsed.GetValue(Baseline)), null, nodes);
        }

        var folder = Directory.CreateTempSubdirectory("cairn-watch-").FullName;
        try
        {
            var directory = new RunDirectory(folder);
            var (file, chain) = ledger == OnChain ? await BeginAsync(parsed, directory, nodes, cancellation) : (ledger, null);
            await RunSetup.WatchAsync(directory, file, store!, chain, cancellation);
            var sources = SourcesOf(directory, parsed.GetValue(Baseline)) with { Folder = $"{ledger} in {store!.Split('?')[0]}" };
            return new WatchedRun(directory, sources, folder, nodes);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Where the files of a run are that has its folder here.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="baseline">The folder of a training to show beside it, or null.</param>
    /// <exception cref="InputException">The training cannot be compared with the run.</exception>
    public static RunSources SourcesOf(RunDirectory directory, string? baseline = null) => new()
    {
        Folder = directory.Root,
        Rules = directory.Rules,
        Ledger = directory.Ledger,
        Events = directory.Events,
        Nodes = directory.Node(""),
        Checkpoints = directory.Checkpoints,
        Comparison = Path.Combine(directory.Root, "compare.json"),
        Baseline = baseline is null ? Path.Combine(BaselineFile.FolderOf(directory), BaselineFile.Name) : BaselineFile.For(directory, baseline),
        Data = Path.Combine(directory.Data, DataManifest.FileName),
        Evaluations = directory.Evaluations,
        Contribution = Path.Combine(directory.Root, ContributionAccount.FileName),
        Bring = !directory.IsOnNetwork ? null : (wanted, cancellation) =>
            CheckpointFetch.FetchAsync(directory, new Round(wanted.Round), wanted.Digest, wanted.Places, wanted.Folder, cancellation),
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
        _stop.Dispose();
        if (_fetched is not null)
        {
            Directory.Delete(_fetched, recursive: true);
        }
    }

    private static async Task<(string File, RunChain Chain)> BeginAsync(
        ParseResult parsed, RunDirectory directory, IReadOnlyList<string> nodes, CancellationToken cancellation)
    {
        if (nodes.Count == 0 || parsed.GetValue(ChainConfig.Contract) is not { } contract || !Digest.TryParse(parsed.GetValue(ChainConfig.Run), out var run))
        {
            throw new InputException("a ledger on a chain is named by --rpc (a node), --contract, and --run (digest of the run's genesis, 64 hexadecimal digits).");
        }

        var confirmations = parsed.GetValue(ChainConfig.Confirmations) is { } depth ? (ulong)Math.Max(0, depth) : (ulong?)null;
        return (directory.Ledger, await ChainWatch.BeginAsync(directory.Ledger, nodes, contract, run, confirmations, cancellation));
    }
}
