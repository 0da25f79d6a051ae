using Cairn.Base;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>What is to be measured of a run's rounds.</summary>
/// <param name="Round">Only this round, counted from 0; null for the last ones.</param>
/// <param name="Last">At most so many of the rounds whose updates are still stored.</param>
/// <param name="Sequences">Held-out sequences, evenly spread; fewer where the data have fewer.</param>
/// <param name="Threads">Threads to compute with. Changes no bit.</param>
public sealed record ContributionOptions(int? Round, int Last, int Sequences, int Threads);

/// <summary>Measures what each peer's accepted updates did for held-out loss, round by round, from what stores still hold. What was measured lies in the run's
/// folder and is not measured again: called now and then while a run goes on, the account grows over all of its rounds.</summary>
public static class ContributionMeasure
{
    /// <summary>Measures, and writes <c>contribution.json</c>.</summary>
    /// <param name="directory">The run, with its data; may be going on.</param>
    /// <param name="options">What.</param>
    /// <param name="tell">Told what is being done, a line at a time.</param>
    /// <param name="cancellation">Gives up; what was measured stays.</param>
    /// <returns>The account of all rounds measured so far on as many sequences.</returns>
    /// <exception cref="InputException">There is no run, its data are not here, or no round of it can be measured.</exception>
    public static async Task<ContributionAccount> RunAsync(
        RunDirectory directory, ContributionOptions options, Action<string> tell, CancellationToken cancellation)
    {
        var rules = RunSetup.ReadRules(directory);
        var folder = Path.Combine(directory.Root, "contribution");
        Directory.CreateDirectory(folder);
        using var log = new EventLog(Path.Combine(folder, "events.jsonl"), null);
        using var run = new RunContext(directory, rules, Swarm.DataOf(directory, rules), log, options.Threads, users: 1) { Stores = StoreOpening.ReadersOf(directory) };
        var history = HistoryOf(directory, run.RulesDigest);
        run.Stores.Notice(history.State);
        run.RulesBook.Follow(history.State);
        using var trials = new RoundTrials(run, options.Sequences);
        var wanted = Wanted(history, options, rules.Round.RetainedRounds);
        var missing = wanted.Where(round => Known(folder, round, history, trials.Sequences) is null).ToList();
        var measurements = missing.Sum(round => trials.MeasurementsOf(history.State.ManifestOf(round)!.Entries.Count));
        tell($"{wanted.Count} rounds, {wanted.Count - missing.Count} of them measured before: {measurements} measurements of {trials.Sequences} sequences of " +
            $"{rules.Model.Context} tokens, {(long)measurements * trials.Sequences * rules.Model.Context:N0} tokens in all");
        using (var lease = await run.Engines.RentAsync(cancellation))
        {
            await MeasureAsync(run, history, trials, lease.Engine, missing, folder, tell, cancellation);
        }

        var measured = Enumerable.Range(0, history.Rounds.Count).Select(i => Known(folder, new Round(i), history, trials.Sequences)).OfType<RoundContribution>().ToList();
        if (measured.Count == 0)
        {
            throw new InputException(
                $"of no round of the run in {directory.Root} are both the updates and a base before them still there: measure while it goes on, or soon after.");
        }

        var account = ContributionAccount.Of(
            run.RulesDigest, measured, history.State.Members.Where(member => member.Role == Role.Peer).ToDictionary(member => member.Uid.Value, member => member.Reward));
        account.Write(directory);
        return account;
    }

    private static LedgerHistory HistoryOf(RunDirectory directory, Digest rules)
    {
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        return ledger.Genesis.RulesDigest == rules ? LedgerHistory.Replay(ledger)
            : throw new InputException($"{directory.Ledger} belongs to other rules than {directory.Rules}: restore both from one copy of the run.");
    }

    private static List<Round> Wanted(LedgerHistory history, ContributionOptions options, int retained)
    {
        var closed = StateAgainstLedger.ClosedRounds(history.State);
        if (options.Round is { } one)
        {
            return one < closed && !history.State.ManifestOf(new Round(one))!.Empty ? [new Round(one)]
                : throw new InputException($"round {one + 1} has no closed list of updates: name one of the first {closed} rounds.");
        }

        return [.. Enumerable.Range(0, closed).Skip(Math.Max(0, closed - Math.Min(options.Last, retained))).Select(i => new Round(i))
            .Where(round => !history.State.ManifestOf(round)!.Empty)];
    }

    // Of this run, on the same sequences, and of just the updates that the ledger closed.
    private static RoundContribution? Known(string folder, Round round, LedgerHistory history, int sequences) =>
        RoundContribution.Read(folder, round) is { } known && known.Improved.Count == sequences && history.State.ManifestOf(round) is { } manifest
        && known.Peers.Select(peer => peer.Uid).SequenceEqual(manifest.Entries.Select(entry => entry.Uid.Value))
        && (round.Number == 0 ? history.State.Genesis.InitialBase : history.QuorumBase(new Round(round.Number - 1))) is var before
        && (before is null || before.ToString() == known.Base)
            ? known : null;

    private static async Task MeasureAsync(
        RunContext run, LedgerHistory history, RoundTrials trials, Engine engine, List<Round> rounds, string folder, Action<string> tell,
        CancellationToken cancellation)
    {
        using var walk = new BaseWalk(run, history, trials);
        var after = new Parameters(run.Layout);
        try
        {
            foreach (var round in rounds)
            {
                var manifest = history.State.ManifestOf(round)!;
                using var updates = await UpdateFetcher.TryFetchManifestAsync(run, manifest, history.State.Members.ToDictionary(m => m.Uid, m => m.Key), cancellation);
                if (updates.Contributions is not { } contributions)
                {
                    tell($"round {round.Number + 1}: not all of its updates are there any more");
                    continue;
                }

                if (!await walk.TryReachAsync(round, cancellation))
                {
                    tell($"round {round.Number + 1}: the base before it cannot be had any more");
                    continue;
                }

                var (done, all) = (0, trials.MeasurementsOf(contributions.Count));
                var measured = await Task.Run(
                    () => trials.Measure(engine, walk.Base, after, contributions, uid => history.State.Members[uid.Value].Name, () =>
                    {
                        cancellation.ThrowIfCancellationRequested();
                        tell($"round {round.Number + 1}: {++done} of {all}");
                    }),
                    cancellation);
                after = walk.GoTo(after); // compared with the ledger before it is believed
                measured.Write(folder);
            }
        }
        finally
        {
            after.Dispose();
        }
    }
}
