using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
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
        var rules = resumed ? RunSetup.ReadRules(directory) : RunCreator.Create(directory, options, forStrangers: false, Told(prepare, cancellation), _ => { });
        using var log = new EventLog(directory.Events, watch);
        using var run = new RunContext(directory, rules, DataOf(directory, rules), log, options.Threads, rules.PeersMax);
        var bell = new LedgerBell();
        if (run.ReplayLedger().Announcements > 0)
        {
            throw new InputException(
                $"members of the run in {directory.Root} have stores of their own: start its nodes one by one with cairn peer and cairn validator.");
        }

        using var nodes = await SwarmNodes.OpenAsync(run, bell, cancellation);
        log.Tell(new RunStarted(
            rules.Name, run.RulesDigest.ToString(), resumed, rules.Round.Rounds, nodes.Peers, nodes.Validators, rules.Model.ParameterCount));
        await nodes.RunAsync(cancellation);
        return await ConcludeAsync(run, nodes);
    }

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
        return RunCreator.Create(
            directory, options, forStrangers: true, Told(prepare, cancellation), rules =>
            {
                RunSetup.PublishAsync(directory, rules, store ?? directory.Store, access, prepare, cancellation).GetAwaiter().GetResult();
                if (store is not null)
                {
                    new RunPlaces(null, store).Write(directory.Root);
                }
            });
    }

    private static IDisposable Take(RunDirectory directory, SwarmOptions options)
    {
        CheckIntent(directory, options);
        var held = directory.Lock();
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

        if (options.Resume && directory.Places != RunPlaces.Here)
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
            return data;
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
        Initializer.Fill(initial, run.Rules.Seed);
        var (before, after) = (run.HeldOut.Measure(lease.Engine, initial, FinalSamples), run.HeldOut.Measure(lease.Engine, final.Base, FinalSamples));
        var report = ReportWriter.Write(run, before, after, final);
        run.Log.Tell(new RunFinished(report.Rounds, Finished: true, report.BaseDigest));
        return new SwarmOutcome(
            report, Finished: true, nodes.Halted, SampleText.Of(run, lease.Engine, initial), SampleText.Of(run, lease.Engine, final.Base),
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
