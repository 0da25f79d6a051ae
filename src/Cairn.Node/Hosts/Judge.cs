using System.Collections.Concurrent;
using Cairn.Base;
using Cairn.Data;
using Cairn.Exchange;
using Cairn.Gauntlet;
using Cairn.Ledger;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>A validator's judgement of a round: fetch and fast-check every update, compare all pairs, probe some, keep the book. Numbers go to
/// <see cref="RoundTrial"/>, which decides; here they are only measured.</summary>
internal sealed class Judge
{
    private readonly RunContext _run;
    private readonly string _name;
    private readonly Replica _replica;
    private readonly LossProbe _probe;
    private volatile Judgement? _judged;

    public Judge(RunContext run, string name, Replica replica)
    {
        (_run, _name, _replica) = (run, name, replica);
        _probe = new LossProbe(run, replica);
    }

    /// <summary>The book that belongs to the state after a round: it is durable with that state, so that a restart judges on as if nothing had happened.</summary>
    /// <param name="round">The round.</param>
    /// <param name="paidBefore">Whether the ledger paid in the round before.</param>
    public byte[] BookAfter(Round round, bool paidBefore)
    {
        var book = _judged is { } judged && judged.Round == round ? judged.Book : BookBefore(round, paidBefore);
        var writer = new WireWriter();
        BookState.Write(book, writer);
        return writer.ToArray();
    }

    /// <summary>True if that round was judged in this life.</summary>
    public bool Knows(Round round) => _judged?.Round == round;

    /// <summary>The shares of the settlement after a round, from what was accepted since the last one; empty while nothing can be told.</summary>
    public IReadOnlyList<ShareEntry> Shares(Round round) =>
        [.. PayShares.Divide(PayShares.Claims(Book, round.Number == _run.Rules.Round.Rounds - 1)).Select(share => new ShareEntry(share.Uid, share.Share))];

    /// <summary>Judges the round.</summary>
    public async Task<NodeEvent?> BeginAsync(Round round, RoundCase roundCase, CancellationToken cancellation)
    {
        var book = BookBefore(round, roundCase.PaidBefore);
        using var found = await CheckAsync(_run, _name, _replica.TrainingBaseDigest, round, roundCase.Peers, cancellation);
        var (checks, updates, details, holding) = found;
        var (pairs, overlapMax) = Compare(updates);
        var rules = _run.RulesBook.At(round).Round;
        var trial = new RoundTrial(
            round, roundCase.Beacon, book,
            [.. roundCase.Peers.Select(p => new TrialPeer(p.Uid, p.Newcomer, p.CommitOrder, p.Samples.Length))], checks, pairs,
            new TrialRules(rules.Rounds, rules.ProbedPeers, rules.OverlapPerMille, RatingRules.Bounded));
        var scores = await _probe.MeasureAsync(round, roundCase, trial.Probed, updates, cancellation);
        var (observations, after) = trial.Close(scores);
        await holding;
        found.KeepOpened(_run, round, roundCase.Peers, observations.Where(seen => seen.Reason == Rejection.None).Select(seen => seen.Uid));
        var judged = new Judgement(round, after);
        _judged = judged;
        Tell(judged, roundCase.Peers, observations, details, overlapMax);
        return new Judged(round, new Verdict(round, [.. observations.Select(o => new VerdictEntry(o.Uid, o.Reason, (int)o.Samples))]));
    }

    private PeerBook BookBefore(Round round, bool paid) => RoundTrial.BookBefore(Book, round, _run.Rules.Round.SettleEvery, paid);

    // There is no other copy: going back to an earlier state of the replica goes back to its book.
    private PeerBook Book
    {
        get
        {
            if (_replica.Book.Length == 0)
            {
                return PeerBook.Empty;
            }

            var reader = new WireReader(_replica.Book);
            return BookState.Read(ref reader) ?? throw new InputException(
                $"the book of {_name} is damaged or of an older version of this program: restore its state-*.bin from a copy, " +
                "or go on with the version that began the run.");
        }
    }

    /// <summary>Fetches and fast-checks every update, and puts what passes into the validator's own store.</summary>
    /// <param name="run">The run.</param>
    /// <param name="name">The validator's name.</param>
    /// <param name="trainedFrom">The base that the updates must be trained from.</param>
    /// <param name="round">The round.</param>
    /// <param name="peers">Roster order.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<CheckedUpdates> CheckAsync(
        RunContext run, string name, Digest trainedFrom, Round round, IReadOnlyList<PeerCase> peers, CancellationToken cancellation)
    {
        var checks = new FastCheck[peers.Count];
        var found = new (EncodedUpdate? Update, Rejection Why, string Detail)[peers.Count];
        // Whoever's store takes more than its time is judged as if it had nothing: no store may hold up a verdict that others wait for.
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var all = TimeSpan.FromSeconds(run.RulesBook.At(round).Round.StageSecondsMax / 2.0);
        deadline.CancelAfter(all);
        // Nor may some of them take it all: each has its part, and whose store was silent in the rounds before comes last and has less.
        var atOnce = UpdateFetcher.AtOnce(cancellation);
        var turn = Enumerable.Range(0, peers.Count).OrderBy(i => run.Silences.InARow(peers[i].Uid)).ToArray();
        var share = all / Math.Max(1, (peers.Count(peer => peer.Opening is not null) + atOnce.MaxDegreeOfParallelism - 1) / atOnce.MaxDegreeOfParallelism);
        var holding = new ConcurrentBag<Task>();
        await Parallel.ForAsync(0, peers.Count, atOnce, async (place, _) =>
        {
            var i = turn[place];
            using var time = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token);
            time.CancelAfter(run.Silences.TimeOf(peers[i].Uid, share));
            try
            {
                found[i] = await CheckAsync(run, trainedFrom, round, peers[i], time.Token);
                if (found[i].Update is not null)
                {
                    holding.Add(run.Copies.PutAsync(name, round, peers[i].Opening!.ObjectDigest, cancellation));
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                found[i] = (null, Rejection.Missing, "its store did not give it in its part of half of the time of a stage");
                run.Silences.Count(peers[i].Uid, silent: true);
            }
        });
        var updates = new SortedDictionary<Uid, EncodedUpdate>();
        var details = new Dictionary<Uid, string>();
        for (var i = 0; i < peers.Count; i++)
        {
            var (update, why, detail) = found[i];
            checks[i] = new FastCheck(peers[i].Uid, why);
            if (update is not null)
            {
                updates.Add(peers[i].Uid, update);
            }

            if (detail.Length > 0)
            {
                details.Add(peers[i].Uid, detail);
            }
        }

        return new CheckedUpdates(checks, updates, details, Task.WhenAll(holding));
    }

    private static async Task<(EncodedUpdate? Update, Rejection Why, string Detail)> CheckAsync(
        RunContext run, Digest trainedFrom, Round round, PeerCase peer, CancellationToken cancellation)
    {
        if (peer.Opening is not { } opening)
        {
            return (null, Rejection.Missing, peer.CommitOrder < 0 ? "no commit" : "the commit was not opened");
        }

        if (opening.BaseDigest != trainedFrom)
        {
            return (null, Rejection.WrongBase, $"trained from {opening.BaseDigest.Short}, the base is {trainedFrom.Short}");
        }

        if (opening.Receipt != SampleReceipt.Of(peer.Samples))
        {
            return (null, Rejection.WrongSamples, "the receipt names other samples than the assigned ones");
        }

        var fetched = await UpdateFetcher.FetchAsync(run, round, peer.Uid, peer.Key, opening, cancellation);
        run.Silences.Count(peer.Uid, silent: fetched is { Why: Rejection.Missing, IsLost: false });
        if (fetched.Update is not null && !run.Stores.IsOne && !run.Held.Holds(opening.ObjectDigest))
        {
            // It says nothing against its author; but whoever accepts must be able to serve.
            fetched.Update.Dispose();
            return (null, Rejection.Missing, "there is no room here to hold it");
        }

        return (fetched.Update, fetched.Why, fetched.Detail);
    }

    private static (IReadOnlyList<PairOverlap> Pairs, double OverlapMax) Compare(SortedDictionary<Uid, EncodedUpdate> updates)
    {
        var all = updates.ToList();
        var pairs = Overlap.AmongAll([.. all.Select(update => update.Value)])
            .Select(pair => new PairOverlap(all[pair.A].Key, all[pair.B].Key, pair.Overlap.Shared, pair.Overlap.Total)).ToList();
        return (pairs, pairs.Select(p => (double)p.Shared / Math.Max(1, p.Total)).DefaultIfEmpty(0).Max());
    }

    private void Tell(
        Judgement judged, IReadOnlyList<PeerCase> peers, IReadOnlyList<Observation> observations, Dictionary<Uid, string> details, double overlapMax)
    {
        var verdicts = peers.Zip(observations).Select(pair =>
        {
            var ((peer, seen), record) = (pair, judged.Book.Find(pair.First.Uid)!);
            double? clearness = seen.Probe is { } probe ? ComputationIndicator.Clearness(probe) : null;
            return new PeerVerdict(
                peer.Name, peer.Uid.Value, seen.Reason.ToString(), Told(seen.Probe?.Assigned.Mean), Told(seen.Probe?.HeldBack.Mean), Told(clearness),
                record.WorkCount > 0 ? record.Work : null, record.Rating.Ordinal, details.GetValueOrDefault(peer.Uid));
        });
        _run.Log.Tell(new UpdatesJudged(_name, judged.Round.Number, [.. verdicts], overlapMax));
    }

    // JSON knows no infinity; a loss that was not finite is told by the reason.
    private static double? Told(double? number) => number is { } value && double.IsFinite(value) ? value : null;

    private sealed record Judgement(Round Round, PeerBook Book);
}

/// <summary>What the fast checks of a round found.</summary>
/// <param name="Checks">Roster order.</param>
/// <param name="Updates">Those that passed, in uid order.</param>
/// <param name="Details">More on refusals, for people.</param>
/// <param name="Holding">Ends when all that passed lies in the validator's own store: before that it must not say that it accepts them.</param>
internal sealed record CheckedUpdates(
    IReadOnlyList<FastCheck> Checks, SortedDictionary<Uid, EncodedUpdate> Updates, Dictionary<Uid, string> Details, Task Holding) : IDisposable
{
    /// <summary>Leaves what was accepted opened for whoever applies the round.</summary>
    public void KeepOpened(RunContext run, Round round, IReadOnlyList<PeerCase> peers, IEnumerable<Uid> accepted)
    {
        if (run.Stores.IsOne)
        {
            return;
        }

        foreach (var uid in accepted)
        {
            if (Updates.Remove(uid, out var update))
            {
                run.Opened.Keep(OpenedAs.Of(round, uid, peers.First(peer => peer.Uid == uid).Opening!), update);
            }
        }
    }

    public void Dispose()
    {
        foreach (var update in Updates.Values)
        {
            update.Dispose();
        }
    }
}
