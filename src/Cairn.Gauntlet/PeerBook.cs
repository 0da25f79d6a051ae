using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>What a validator saw of one roster member in one round.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Reason">Why its update was refused, or None if it is in the manifest.</param>
/// <param name="Samples">Its accepted samples; counted only if accepted.</param>
/// <param name="Probe">What a probe of it found, or null if it was not probed.</param>
/// <param name="OnTrial">True if it was admitted, or not, by a probe (<see cref="Admission.NeedsProbe"/>).</param>
public readonly record struct Observation(Uid Uid, Rejection Reason, long Samples, LossScore? Probe, bool OnTrial = false);

/// <summary>A validator's memory of all peers: immutable, in uid order, the same for the same observations.</summary>
/// <remarks>Nothing is slashed here. Pay follows accepted samples, so an absent or refused peer has none; what the published run took by multiplying
/// scores, bonds answer for.</remarks>
public sealed class PeerBook
{
    private readonly PeerRecord[] _records;

    internal PeerBook(PeerRecord[] records) => _records = records;

    /// <summary>A book without peers.</summary>
    public static PeerBook Empty { get; } = new([]);

    /// <summary>All records, ascending by uid.</summary>
    public IReadOnlyList<PeerRecord> Records => _records;

    /// <summary>The record of a peer, or null if it was never in a roster.</summary>
    /// <param name="uid">The peer.</param>
    public PeerRecord? Find(Uid uid)
    {
        var (low, high) = (0, _records.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = _records[middle].Uid.CompareTo(uid);
            if (order == 0)
            {
                return _records[middle];
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }

    /// <summary>The book after a round. Peers that were probed play one match, ranked by improvement on held-back samples; those whose update was
    /// refused for what it was (not for being missing or late, which may be the network's fault, nor for want of a probe) share the last place in
    /// it.</summary>
    /// <param name="round">The round.</param>
    /// <param name="observations">One per roster member, ascending by uid.</param>
    /// <param name="rules">Constants of rating.</param>
    /// <param name="isLast">True in the last round of a run: what waits is told as well as it can be.</param>
    /// <param name="probes">False in a run that probes nobody: then all that is accepted counts alike, and nothing waits to be told.</param>
    /// <remarks>A round in which more than half of three or more probes are negative says more about the round than about its peers: then none is
    /// recorded as negative. Probes of those on trial do not count for that, or keys that cost nothing could excuse everybody. (Covenant-72B: none if
    /// the fifth best, or the last of fewer, is negative; with few peers that would excuse every one.)</remarks>
    public PeerBook Observe(Round round, IReadOnlyList<Observation> observations, RatingRules rules, bool isLast = false, bool probes = true)
    {
        var records = new SortedDictionary<Uid, PeerRecord>();
        foreach (var record in _records)
        {
            records.Add(record.Uid, record);
        }

        var badRound = IsBadRound(observations);
        var players = new List<(Uid Uid, double Score)>();
        var before = new PeerRecord[observations.Count];
        for (var i = 0; i < before.Length; i++)
        {
            var seen = observations[i];
            Invariant.Check(i == 0 || seen.Uid > observations[i - 1].Uid);
            Invariant.Check(seen.Samples >= 0);
            var known = records.GetValueOrDefault(seen.Uid) ?? new PeerRecord { Uid = seen.Uid, FirstRound = round, LastRound = round };
            before[i] = Tells(seen) ? known.WithClearness(seen.Probe!.Value) : known;
        }

        WorkEvidence[] evidence = [.. before.Select((record, i) => new WorkEvidence(record.Clearness, Tells(observations[i]), observations[i].OnTrial))];
        var (work, all) = (WorkShare.Of(evidence), WorkShare.OfAll(evidence, isLast ? WorkShare.MedianClearAt : WorkShare.ToldAt));
        for (var i = 0; i < before.Length; i++)
        {
            var seen = observations[i];
            var record = before[i].WithOutcome(round, seen.Reason, seen.Samples, work[i], all[i], probes);
            records[seen.Uid] = seen.Probe is { } probe ? record.WithProbe(probe, probe.IsNegative && !badRound) : record;
            if (IsOwnFault(seen.Reason))
            {
                players.Add((seen.Uid, double.NegativeInfinity));
            }
            else if (seen is { Reason: Rejection.None, Probe: { } score })
            {
                players.Add((seen.Uid, score.Rank));
            }
        }

        Play(records, players, rules);
        return new PeerBook([.. records.Values]);
    }

    /// <summary>True if work was told of somebody since the last settlement: then there is something to divide, and nobody's samples wait any longer.</summary>
    public bool HasTold => _records.Any(record => record.CreditSinceSettle > 0);

    /// <summary>The book after a settlement: samples are counted from zero again, but for those that waited while nothing was told of anybody.</summary>
    public PeerBook Settle()
    {
        var told = HasTold;
        return new PeerBook(
            [.. _records.Select(record => record with { SamplesSinceSettle = 0, CreditSinceSettle = 0, Waiting = told ? 0 : record.Waiting })]);
    }

    // Of an update that was refused a probe says nothing about work; but of one that was refused for lack of work it does, or nobody could ever show it again.
    private static bool Tells(in Observation seen) => seen is { Reason: Rejection.None or Rejection.NotEntitled, Probe: not null };

    private static bool IsBadRound(IReadOnlyList<Observation> observations)
    {
        var (probes, negative) = (0, 0);
        foreach (var seen in observations)
        {
            probes += seen is { OnTrial: false, Probe: not null } ? 1 : 0;
            negative += seen is { OnTrial: false, Probe.IsNegative: true } ? 1 : 0;
        }

        return probes >= 3 && negative * 2 > probes;
    }

    private static bool IsOwnFault(Rejection reason) =>
        reason is not (Rejection.None or Rejection.Missing or Rejection.Late or Rejection.NotEntitled);

    private static void Play(SortedDictionary<Uid, PeerRecord> records, List<(Uid Uid, double Score)> players, RatingRules rules)
    {
        var before = players.Select(player => records[player.Uid].Rating).ToArray();
        var after = PlackettLuce.Rate(before, players.Select(player => player.Score).ToArray(), rules);
        for (var i = 0; i < after.Length; i++)
        {
            records[players[i].Uid] = records[players[i].Uid] with { Rating = after[i] };
        }
    }
}
