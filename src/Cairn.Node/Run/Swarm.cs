using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Ledger.Evm;
using Cairn.Model;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>How a swarm ended.</summary>
/// <param name="Report">What it did.</param>
/// <param name="Finished">True if all rounds are done.</param>
/// <param name="Halted">Nodes that stopped with a wrong replica; empty in health.</param>
/// <param name="SampleBefore">Text of the initial model.</param>
/// <param name="SampleAfter">Text of the model now, from the same prompt and seed.</param>
/// <param name="CheckpointFolder">The newest checkpoint, or empty.</param>
public sealed record SwarmOutcome(
    RunReport Report, bool Finished, IReadOnlyList<ReplicaHalted> Halted, string SampleBefore, string SampleAfter, string CheckpointFolder);

/// <summary>All peers and validators of a run in one process: every node with its own key, replica and view of the ledger, sharing only what nodes
/// share on the internet (ledger and store) and the processor.</summary>
public static class Swarm
{
    internal const int FinalSamples = 512;

    /// <summary>Held-out samples of every point of a curve: the same for a swarm and its baselines, else they could not be drawn beside each other.</summary>
    internal const int CurveSamples = 64;

    /// <summary>Creates a run, or goes on with one, and works until it is finished or told to stop.</summary>
    /// <param name="options">Validated.</param>
    /// <param name="watch">Told everything that happens, from any thread, one at a time.</param>
    /// <param name="prepare">Told what is being prepared.</param>
    /// <param name="cancellation">Stops cleanly: nothing is lost.</param>
    /// <exception cref="InputException">The options, the data or the run's files cannot be used.</exception>
    public static async Task<SwarmOutcome> RunAsync(
        SwarmOptions options, Action<RunEvent> watch, Action<string> prepare, CancellationToken cancellation)
    {
        var directory = new RunDirectory(options.Directory);
        using var held = Take(directory, options);
        var resumed = directory.HoldsRun;
        using var line = await OpenLineAsync(directory, options, cancellation);
        var rules = resumed ? RunSetup.ReadRules(directory) : Begin(directory, options, line, forStrangers: false, Told(prepare, cancellation), _ => { }, cancellation);
        var boards = new SwarmBoards(directory, rules);
        using var log = new EventLog(directory.Events, happened =>
        {
            boards.See(happened);
            watch(happened);
        });
        using var chain = line is null ? null : await line.FollowAsync(directory.Ledger, cancellation);
        if (chain is not null)
        {
            chain.Troubled += boards.SeeChain;
        }

        using var run = new RunContext(directory, rules, DataOf(directory, rules), log, options.Threads, rules.PeersMax) { Chain = chain };
        var bell = new LedgerBell();
        if (run.ReplayLedger().Announcements > 0)
        {
            throw new InputException(
                $"members of the run in {directory.Root} have stores of their own: start its nodes one by one with cairn peer and cairn validator.");
        }

        using var nodes = await SwarmNodes.OpenAsync(run, bell, boards, cancellation);
        log.Tell(new RunStarted(
            rules.Name, run.RulesDigest.ToString(), resumed, rules.Round.Rounds, nodes.Peers, nodes.Validators, rules.Model.ParameterCount));
        await WithChainAsync(chain, bell, nodes.RunAsync, cancellation);
        return await ConcludeAsync(run, nodes);
    }

    /// <summary>Lets nodes work while the chain, if there is one, is followed; ends with them, or with whatever of both fails first.</summary>
    /// <param name="chain">What orders the ledger, or null.</param>
    /// <param name="bell">Rung when the ledger's file has grown.</param>
    /// <param name="work">The nodes' work.</param>
    /// <param name="cancellation">Stops both.</param>
    internal static async Task WithChainAsync(EvmLedger? chain, LedgerBell bell, Func<CancellationToken, Task> work, CancellationToken cancellation)
    {
        if (chain is null)
        {
            await work(cancellation);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        chain.Moved += bell.Ring;
        var (working, following) = (work(stop.Token), chain.RunAsync(stop.Token));
        await Task.WhenAny(working, following);
        await stop.CancelAsync();
        await Task.WhenAll(working, following).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        chain.Moved -= bell.Ring;
        await (following.IsFaulted ? following : working);
    }

    // Whoever begins a run says where its ledger is ordered; whoever goes on with one goes where the run's folder says.
    private static async Task<ChainLine?> OpenLineAsync(RunDirectory directory, SwarmOptions options, CancellationToken cancellation)
    {
        if (directory.HoldsRun && (directory.Places.Chain is null) != (options.Chain is null) && options.Chain is not null)
        {
            throw new InputException(
                $"the ledger of the run in {directory.Root} is its file, and no chain's: leave out what says how to reach one (--ledger, --rpc, --account, --fee-max).");
        }

        var known = directory.HoldsRun ? directory.Places.Chain : null;
        return known is null && options.Chain is null ? null : await ChainLine.OpenAsync(options.Chain ?? new ChainOptions(), known, cancellation);
    }

    private static RunRules Begin(
        RunDirectory directory, SwarmOptions options, ChainLine? line, bool forStrangers, Action<string> prepare, Action<byte[]> publish,
        CancellationToken cancellation) =>
        RunCreator.Create(directory, options, forStrangers, prepare, publish, genesis =>
        {
            if (line is not null)
            {
                line.CreateAsync(genesis, prepare, cancellation).GetAwaiter().GetResult();
                directory.Keep(directory.Places with { Chain = line.Chain });
            }
        });

    /// <summary>Creates a run whose nodes are started one by one, each as a process of its own (<see cref="NodeProcess"/>), and puts its rules and data where whoever
    /// joins finds them. What fails leaves no run: the same call goes on.</summary>
    /// <param name="options">Validated; not to resume.</param>
    /// <param name="store">Where the run's objects are, an S3 address or a folder; null for the run's own folder.</param>
    /// <param name="access">The account that writes there.</param>
    /// <param name="prepare">Told what is being prepared.</param>
    /// <param name="cancellation">Gives up between two steps.</param>
    /// <returns>The rules.</returns>
    /// <exception cref="InputException">The options or the data cannot be used, or the folder holds a run.</exception>
    public static RunRules Found(SwarmOptions options, string? store, StoreAccess access, Action<string> prepare, CancellationToken cancellation)
    {
        var directory = new RunDirectory(options.Directory);
        using var held = Take(directory, options);
        using var line = OpenLineAsync(directory, options, cancellation).GetAwaiter().GetResult();
        return Begin(
            directory, options, line, forStrangers: true, Told(prepare, cancellation), rules =>
            {
                RunSetup.PublishAsync(directory, rules, store ?? directory.Store, access, prepare, cancellation).GetAwaiter().GetResult();
                if (store is not null)
                {
                    directory.Keep(new RunPlaces(null, store));
                }
            },
            cancellation);
    }

    private static IDisposable Take(RunDirectory directory, SwarmOptions options)
    {
        CheckIntent(directory, options);
        var held = directory.Lock();
        DurableFile.DeleteLeft(directory.Root);
        try
        {
            CheckIntent(directory, options); // another process may have had the folder until now
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static Action<string> Told(Action<string> prepare, CancellationToken cancellation) => what =>
    {
        cancellation.ThrowIfCancellationRequested();
        prepare(what);
    };

    private static void CheckIntent(RunDirectory directory, SwarmOptions options)
    {
        if (!directory.HoldsRun && directory.Remains is { } remains)
        {
            throw new InputException(
                $"{directory.Root} holds {remains} but not both rules.json and ledger.cairn: restore the missing file from a copy of the run, or choose another --dir.");
        }

        if (options.Resume && directory.Places with { Chain = null } != RunPlaces.Here)
        {
            throw new InputException(
                $"ledger or store of the run in {directory.Root} are elsewhere, and so may be its members: " +
                "start its nodes one by one with cairn peer and cairn validator.");
        }

        if (options.Resume && !directory.HoldsRun)
        {
            throw new InputException($"{directory.Root} holds no run to go on with: leave out --resume to begin one, or name another folder with --dir.");
        }

        if (!options.Resume && directory.HoldsRun)
        {
            throw new InputException($"{directory.Root} already holds a run: go on with it by --resume, or choose another --dir.");
        }
    }

    /// <summary>Opens the run's data set.</summary>
    /// <exception cref="InputException">It is damaged, or not that of the rules.</exception>
    internal static DataSet DataOf(RunDirectory directory, RunRules rules)
    {
        var data = DataSet.Open(directory.Data);
        if (data.Digest == rules.Data.Manifest)
        {
            var last = data.AnnealSampleCount(rules.Model.Context);
            if (rules.Anneal is null || rules.Anneal.Samples == last)
            {
                return data;
            }

            data.Dispose();
            throw new InputException(
                $"the data in {directory.Data} have {last} samples to anneal on, the rules say {rules.Anneal.Samples}: " +
                "whoever made the run made it wrongly, do not join it.");
        }

        var found = data.Digest.Short;
        data.Dispose();
        throw new InputException(
            $"the data in {directory.Data} (digest {found}) is not that of the rules ({rules.Data.Manifest.Short}): restore it from a copy of the run.");
    }

    private static async Task<SwarmOutcome> ConcludeAsync(RunContext run, SwarmNodes nodes)
    {
        if (!nodes.Finished)
        {
            return Break(run, nodes);
        }

        using var lease = await run.Engines.RentAsync(CancellationToken.None);
        var final = nodes.AnyReplica();
        using var initial = new Parameters(run.Layout);
        InitialParameters.Fill(run.Directory, run.Rules, initial);
        var (before, after) = (run.HeldOut.Measure(lease.Engine, initial, FinalSamples), run.HeldOut.Measure(lease.Engine, final.Base, FinalSamples));
        var report = ReportWriter.Write(run, before, after, final);
        run.Log.Tell(new RunFinished(report.Rounds, Finished: true, report.BaseDigest));
        return new SwarmOutcome(
            report, Finished: true, nodes.Halted, SampleText.Of(run.Data.Tokenizer, lease.Engine, initial),
            SampleText.Of(run.Data.Tokenizer, lease.Engine, final.Base),
            CheckpointFolder.Newest(run.Directory) ?? "");
    }

    // Stopped before the end: at once, with the losses that were measured on the way.
    private static SwarmOutcome Break(RunContext run, SwarmNodes nodes)
    {
        var measured = EventLog.Read(run.Directory.Events).Select(line => line.Data).OfType<LossEvaluated>()
            .Select(e => new HeldOutLoss(e.Loss, e.BitsPerByte)).DefaultIfEmpty(new HeldOutLoss(double.NaN, double.NaN)).ToList();
        var report = ReportWriter.Write(run, measured[0], measured[^1], nodes.AnyReplica());
        run.Log.Tell(new RunFinished(report.Rounds, Finished: false, report.BaseDigest));
        return new SwarmOutcome(report, Finished: false, nodes.Halted, "", "", CheckpointFolder.Newest(run.Directory) ?? "");
    }
}
