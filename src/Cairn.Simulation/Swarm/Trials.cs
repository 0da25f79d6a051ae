using Cairn.Base;
using Cairn.Gauntlet;

namespace Cairn.Simulation;

/// <summary>A judged round.</summary>
/// <param name="Trial">The rules at work.</param>
/// <param name="Outcome">What came of it.</param>
internal sealed record Judgement(RoundTrial Trial, TrialOutcome Outcome);

/// <summary>Trials that are shared: validators with the same book who saw the same updates reach the same outcome by the same rules, so that it is computed
/// once. What is shared is immutable, and some validators compute it by themselves and compare.</summary>
internal sealed class Trials(World world)
{
    private readonly List<(RoundView View, PeerBook Book, ModelPoint Point, FastCheck[] Checks, Judgement Judgement)> _known = [];
    private (PeerBook Book, PeerBook Settled)? _settled;
    private Round _round = new(-1);

    /// <summary>The book that a round is judged with.</summary>
    /// <param name="book">The book after the round before.</param>
    /// <param name="round">The round.</param>
    /// <param name="paid">Whether the ledger paid in the round before.</param>
    public PeerBook Before(PeerBook book, Round round, bool paid)
    {
        if (paid && _settled is { } known && ReferenceEquals(known.Book, book) && round.Number > 0 && round.Number % world.Scenario.SettleEvery == 0)
        {
            return known.Settled;
        }

        var before = RoundTrial.BookBefore(book, round, world.Scenario.SettleEvery, paid);
        if (!ReferenceEquals(before, book))
        {
            _settled = (book, before);
        }

        return before;
    }

    /// <summary>Judges, or gives what was judged from the same numbers.</summary>
    public Judgement Of(RoundView view, PeerBook book, ModelPoint point, FastCheck[] checks)
    {
        if (_round != view.Round)
        {
            _round = view.Round;
            _known.Clear();
        }

        foreach (var known in _known)
        {
            if (ReferenceEquals(known.View, view) && ReferenceEquals(known.Book, book) && ReferenceEquals(known.Point, point)
                && known.Checks.AsSpan().SequenceEqual(checks))
            {
                return known.Judgement;
            }
        }

        var judged = Compute(view, book, point, checks);
        _known.Add((view, book, point, checks, judged));
        return judged;
    }

    /// <summary>Judges without looking at what others computed.</summary>
    public Judgement Compute(RoundView view, PeerBook book, ModelPoint point, FastCheck[] checks)
    {
        var scenario = world.Scenario;
        var trial = scenario.Gauntlet
            ? new RoundTrial(
                view.Round, view.Beacon, book, view.Peers, checks, Pairs(view, checks),
                new TrialRules(scenario.Rounds, scenario.ProbedPeers, scenario.OverlapPerMille, RatingRules.Bounded))
            : new RoundTrial(
                view.Round, view.Beacon, book, [.. view.Peers.Select(peer => peer with { Newcomer = false })], checks, [],
                new TrialRules(scenario.Rounds, 0, scenario.OverlapPerMille, RatingRules.Bounded));
        var scores = new Dictionary<Uid, LossScore>();
        foreach (var uid in trial.Probed)
        {
            var place = view.PlaceOf(uid);
            scores.Add(uid, view.Score(point, uid, world.Store.Open(view.Openings[place]!.ObjectDigest).Move!));
        }

        return new Judgement(trial, trial.Close(scores));
    }

    private List<PairOverlap> Pairs(RoundView view, FastCheck[] checks)
    {
        var passed = Enumerable.Range(0, checks.Length).Where(i => checks[i].Passed).ToArray();
        var shared = new Sparse.SharedPlaces(passed.Length, world.Objective.Length);
        for (var i = 0; i < passed.Length; i++)
        {
            shared.Add<int>(i, world.Store.Open(view.Openings[passed[i]]!.ObjectDigest).Move!.Places);
        }

        shared.NextChunk();
        var keep = world.Objective.Keep;
        var atLeast = Math.Max(1, keep * world.Scenario.OverlapPerMille / 1000);
        return [.. shared.Pairs(atLeast).Select(pair => new PairOverlap(checks[passed[pair.A]].Uid, checks[passed[pair.B]].Uid, pair.Shared, keep))];
    }
}
