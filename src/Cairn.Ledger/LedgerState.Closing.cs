using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    private void CloseManifest()
    {
        var amounts = new long[_book.Roster.Length];
        var newcomers = new bool[amounts.Length];
        for (var i = 0; i < amounts.Length; i++)
        {
            amounts[i] = AcceptedSamples(i);
            newcomers[i] = _book.Roster[i].Newcomer;
        }

        CountVerdicts(amounts);
        Consensus.CapNewcomers(amounts, newcomers, Rules.NewcomerShareMax);
        var entries = new List<ManifestEntry>();
        for (var i = 0; i < amounts.Length; i++)
        {
            if (amounts[i] > 0)
            {
                var opening = _book.Openings[i]!;
                entries.Add(new ManifestEntry(_book.Roster[i].Uid, opening.ObjectDigest, opening.SizeBytes, opening.Key, amounts[i]));
            }
        }

        var manifest = new Manifest(CurrentRound, [.. entries]);
        _manifests.Add(manifest);
        CloseSamples(manifest, amounts);
    }

    // Lower median, by bond, of what the validators who accept say; 0 unless they hold more than half of all validator bond.
    private long AcceptedSamples(int place)
    {
        if (!_book.IsMajority(_book.BondOf(i => _book.Verdicts[i]?.Entries[place].Reason == Rejection.None)))
        {
            return 0;
        }

        var opinions = new List<(long, long)>();
        for (var i = 0; i < _book.Voters.Length; i++)
        {
            if (_book.Verdicts[i] is { } verdict && verdict.Entries[place].Reason == Rejection.None)
            {
                opinions.Add((verdict.Entries[place].Samples, _book.Voters[i].Bond));
            }
        }

        return Consensus.LowerMedian(opinions);
    }

    private void CloseSamples(Manifest manifest, long[] amounts)
    {
        if (manifest.Empty)
        {
            _queue.Undo();
            SamplesIssued -= _queue.IssuedCount;
            return;
        }

        StepsDone++;
        SamplesTrained += (long)manifest.Entries.Count * Rules.SamplesPerPeer;
        var returned = new List<long>();
        for (var i = 0; i < amounts.Length; i++)
        {
            if (amounts[i] == 0)
            {
                returned.AddRange(PieceOf(i));
            }
        }

        _queue.Close(returned);
    }

    private void CountVerdicts(long[] accepted)
    {
        var judged = _book.IsMajority(_book.BondOf(i => _book.Verdicts[i] is not null));
        for (var i = 0; i < accepted.Length; i++)
        {
            var index = _book.Roster[i].Uid.Value;
            var (taken, rejected) = _tallies[index];
            _tallies[index] = accepted[i] > 0 ? (taken + 1, rejected)
                : judged && _book.Commits[i] is not null ? (taken, rejected + 1)
                : (taken, rejected);
        }
    }

    private void Settle()
    {
        if (_book.QuorumCheckpoint() is { } checkpoint)
        {
            _checkpoints.Add((CurrentRound, checkpoint));
        }

        // Money moves only if validators with two thirds of all bond posted shares.
        if (!_book.MayMoveMoney(_book.BondOf(i => _book.Shares[i] is not null)))
        {
            return;
        }

        var (uids, medians) = MedianShares();
        if (uids.Count == 0)
        {
            return;
        }

        var shares = Consensus.Divide(Shares.One, medians.ToArray());
        var rewards = Consensus.Divide(Rules.RewardPerSettlement, shares);
        var entries = new ShareEntry[uids.Count];
        for (var i = 0; i < uids.Count; i++)
        {
            entries[i] = new ShareEntry(new Uid(uids[i]), shares[i]);
            Credit(uids[i], rewards[i]);
        }

        ConsensusShares = entries;
    }

    // Of every peer that somebody named: the bond-weighted lower median over the validators who posted; not to name a peer is to give it 0.
    private (List<int> Uids, List<long> Medians) MedianShares()
    {
        var opinions = new SortedDictionary<int, long[]>();
        for (var i = 0; i < _book.Voters.Length; i++)
        {
            foreach (var entry in _book.Shares[i]?.Shares ?? [])
            {
                if (!opinions.TryGetValue(entry.Uid.Value, out var row))
                {
                    opinions.Add(entry.Uid.Value, row = new long[_book.Voters.Length]);
                }

                row[i] = entry.Share;
            }
        }

        var (uids, medians) = (new List<int>(), new List<long>());
        foreach (var (uid, row) in opinions)
        {
            var posted = new List<(long, long)>();
            for (var i = 0; i < row.Length; i++)
            {
                if (_book.Shares[i] is not null)
                {
                    posted.Add((row[i], _book.Voters[i].Bond));
                }
            }

            var median = Consensus.LowerMedian(posted);
            if (median > 0)
            {
                uids.Add(uid);
                medians.Add(median);
            }
        }

        return (uids, medians);
    }

    // A newcomer's pay stays locked as bond until it is established.
    private void Credit(int index, long amount)
    {
        var member = _members[index];
        var locked = Math.Clamp(Rules.PeerBondMin - member.Bond, 0, amount);
        _members[index] = member with { Bond = member.Bond + locked, Reward = member.Reward + amount - locked };
    }
}
