using Cairn.Base;
using Cairn.Data;
using Cairn.Gauntlet;
using Cairn.Ledger;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>A validator's judgement of a round: fetch and fast-check every update, compare all pairs, probe some, keep the book. Numbers go to the
/// gauntlet room, which decides; here they are only measured.</summary>
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
    public byte[] BookAfter(Round round)
    {
        var book = _judged is { } judged && judged.Round == round ? judged.Book : BookBefore(round);
        var writer = new WireWriter();
        BookState.Write(book, writer);
        return writer.ToArray();
    }

    /// <summary>True if that round was judged in this life.</summary>
    public bool Knows(Round round) => _judged?.Round == round;

    /// <summary>The shares of the settlement, from what was accepted since the last one.</summary>
    public IReadOnlyList<ShareEntry> Shares() =>
        [.. PayShares.Divide(PayShares.Claims(Book)).Select(share => new ShareEntry(share.Uid, share.Share))];

    /// <summary>Judges the round.</summary>
    public async Task<NodeEvent?> BeginAsync(Round round, RoundCase roundCase, CancellationToken cancellation)
    {
        var book = BookBefore(round);
        var (checks, updates, details) = await CheckAsync(round, roundCase.Peers, cancellation);
        var (copies, overlapMax) = FindCopies(roundCase.Peers, updates);
        checks = FastCheck.WithCopies(checks, copies);
        var passed = checks.Where(c => c.Passed).Select(c => c.Uid).ToList();
        var onTrial = roundCase.Peers
            .Where(p => p.Newcomer || book.Find(p.Uid)?.NegativesInRow >= Admission.NegativesInRowMax).Select(p => p.Uid).ToHashSet();
        var chosen = ProbePlan.Choose(book, round, roundCase.Beacon, passed, _run.Rules.Round.ProbedPeers, onTrial);
        var scores = await _probe.MeasureAsync(roundCase, chosen, updates, cancellation);

        var observations = new List<Observation>();
        foreach (var (check, peer) in checks.Zip(roundCase.Peers))
        {
            LossScore? score = scores.TryGetValue(check.Uid, out var found) ? found : null;
            var reason = Admission.Decide(check.Reason, onTrial.Contains(check.Uid), score);
            observations.Add(new Observation(check.Uid, reason, reason == Rejection.None ? peer.Samples.Length : 0, score));
        }

        var judged = new Judgement(round, book.Observe(round, observations, RatingRules.Bounded));
        _judged = judged;
        Tell(judged, roundCase.Peers, observations, details, overlapMax);
        return new Judged(round, new Verdict(round, [.. observations.Select(o => new VerdictEntry(o.Uid, o.Reason, (int)o.Samples))]));
    }

    // Samples are counted from one settlement to the next. Reset at the first judgement after it, so that a restart in between resets once, not twice.
    private PeerBook BookBefore(Round round) =>
        round.Number > 0 && round.Number % _run.Rules.Round.SettleEvery == 0 ? Book.Settle() : Book;

    // There is no other copy: going back to an earlier state of the replica goes back to its book.
    private PeerBook Book
    {
        get
        {
            var reader = new WireReader(_replica.Book);
            return _replica.Book.Length > 0 && BookState.Read(ref reader) is { } kept ? kept : PeerBook.Empty;
        }
    }

    private async Task<(IReadOnlyList<FastCheck> Checks, SortedDictionary<Uid, SparseUpdate> Updates, Dictionary<Uid, string> Details)> CheckAsync(
        Round round, IReadOnlyList<PeerCase> peers, CancellationToken cancellation)
    {
        var checks = new List<FastCheck>();
        var updates = new SortedDictionary<Uid, SparseUpdate>();
        var details = new Dictionary<Uid, string>();
        foreach (var peer in peers)
        {
            var (update, why, detail) = await CheckAsync(round, peer, cancellation);
            checks.Add(new FastCheck(peer.Uid, why));
            if (update is not null)
            {
                updates.Add(peer.Uid, update);
            }

            if (detail.Length > 0)
            {
                details.Add(peer.Uid, detail);
            }
        }

        return (checks, updates, details);
    }

    private async Task<(SparseUpdate? Update, Rejection Why, string Detail)> CheckAsync(Round round, PeerCase peer, CancellationToken cancellation)
    {
        if (peer.Opening is not { } opening)
        {
            return (null, Rejection.Missing, peer.CommitOrder < 0 ? "no commit" : "the commit was not opened");
        }

        if (opening.BaseDigest != _replica.BaseDigest)
        {
            return (null, Rejection.WrongBase, $"trained from {opening.BaseDigest.Short}, the base is {_replica.BaseDigest.Short}");
        }

        if (opening.Receipt != SampleReceipt.Of(peer.Samples))
        {
            return (null, Rejection.WrongSamples, "the receipt names other samples than the assigned ones");
        }

        var fetched = await UpdateFetcher.FetchAsync(_run, round, peer.Uid, peer.Key, opening, cancellation);
        return (fetched.Update, fetched.Why, fetched.Detail);
    }

    private (IReadOnlyList<(Uid Uid, OverlapSeverity Severity)> Copies, double OverlapMax) FindCopies(
        IReadOnlyList<PeerCase> peers, SortedDictionary<Uid, SparseUpdate> updates)
    {
        var pairs = new List<PairOverlap>();
        var all = updates.ToList();
        for (var i = 0; i < all.Count; i++)
        {
            for (var j = i + 1; j < all.Count; j++)
            {
                var overlap = Overlap.Between(all[i].Value, all[j].Value);
                pairs.Add(new PairOverlap(all[i].Key, all[j].Key, overlap.Shared, overlap.Total));
            }
        }

        var order = peers.Where(p => p.CommitOrder >= 0).OrderBy(p => p.CommitOrder).Select(p => p.Uid).ToList();
        return (
            new OverlapRule(_run.Rules.Round.OverlapPerMille).FindCopies(pairs, order),
            pairs.Select(p => (double)p.Shared / Math.Max(1, p.Total)).DefaultIfEmpty(0).Max());
    }

    private void Tell(
        Judgement judged, IReadOnlyList<PeerCase> peers, List<Observation> observations, Dictionary<Uid, string> details, double overlapMax)
    {
        var verdicts = peers.Zip(observations).Select(pair => new PeerVerdict(
            pair.First.Name, pair.First.Uid.Value, pair.Second.Reason.ToString(), pair.Second.Probe?.Assigned.Mean,
            judged.Book.Find(pair.First.Uid)!.Rating.Ordinal, details.GetValueOrDefault(pair.First.Uid)));
        _run.Log.Tell(new UpdatesJudged(_name, judged.Round.Number, [.. verdicts], overlapMax));
    }

    private sealed record Judgement(Round Round, PeerBook Book);
}
