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
        if (_plan is not null)
        {
            ClosePlanned(manifest, amounts, _plan);
            return;
        }

        if (manifest.Empty)
        {
            _queue.Undo();
            SamplesIssued -= _queue.IssuedCount;
            return;
        }

        StepsDone++;
        var returned = new List<long>();
        for (var i = 0; i < amounts.Length; i++)
        {
            if (amounts[i] == 0)
            {
                returned.AddRange(PieceOf(i));
            }
            else
            {
                SamplesTrained += _book.Samples[i];
            }
        }

        _queue.Close(returned);
    }

    // The round after this one is being trained already: what was not trained in this one is issued first in the round after that, whole rounds without an update too.
    private void ClosePlanned(Manifest manifest, long[] amounts, RoundPlan plan)
    {
        StepsDone += manifest.Empty ? 0 : 1;
        SamplesIssued -= manifest.Empty ? plan.SampleCount : 0;
        SamplesTrained += plan.Pieces.Where((_, place) => amounts[place] > 0).Sum(piece => (long)piece.Length);
        GiveBack(plan.Without(entry => amounts[_book.PlaceOf(entry.Uid)] == 0).Returned);
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

        // Money moves only if validators with two thirds of all bond posted shares. Work was done all the same: what it would have paid waits. And so it does where they
        // say together that nothing can be told yet.
        if (!_book.MayMoveMoney(_book.BondOf(i => _book.Shares[i] is not null)) || _book.MayMoveMoney(_book.BondOf(i => _book.Shares[i] is { Shares.Count: 0 })))
        {
            Unpaid += Rules.RewardPerSettlement;
            return;
        }

        var voters = new EpochVoter[_book.Voters.Length];
        for (var i = 0; i < voters.Length; i++)
        {
            // Who posted nothing supports nobody: κ is a part of all bond, not of those who came.
            var (uid, bond, _) = _book.Voters[i];
            voters[i] = new EpochVoter(uid, bond, _book.Shares[i]?.Shares ?? [], _backings.GetValueOrDefault(uid.Value, []));
        }

        var agreed = EpochConsensus.Settle(voters, Rules.ForConsensus());
        for (var i = 0; i < voters.Length; i++)
        {
            _backings[voters[i].Uid.Value] = agreed.Backings[i];
        }

        // Divided anew, a little that was agreed becomes the whole: with one of three validators silent, another could have its friend paid all of it for the little
        // that the third says of him too. So what less than half is agreed of is not paid.
        if (2 * agreed.Agreed >= Shares.One)
        {
            ConsensusShares = WithinProbation(agreed.Incentives);
            Pay(agreed.Dividends);
            _paidIn.Add(CurrentRound.Number);
            return;
        }

        // Nor is it lost: some can tell and others not yet, or they are not of one mind.
        Unpaid += Rules.RewardPerSettlement;
    }

    // All newcomers together are paid no more than they may weigh in a round, however many keys they are.
    private ShareEntry[] WithinProbation(IReadOnlyList<ShareEntry> agreed)
    {
        var parts = new long[agreed.Count];
        var newcomers = new bool[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = agreed[i].Share;
            newcomers[i] = _members[agreed[i].Uid.Value].Bond < Rules.PeerBondMin;
        }

        Consensus.CapNewcomers(parts, newcomers, Rules.NewcomerShareMax);
        var shares = Consensus.Divide(Shares.One, parts);
        var entries = new List<ShareEntry>(parts.Length);
        for (var i = 0; i < parts.Length; i++)
        {
            if (shares[i] > 0)
            {
                entries.Add(agreed[i] with { Share = shares[i] });
            }
        }

        return [.. entries];
    }

    // Audits are paid out of the rewards, never out of what somebody lost. Dividends that nobody has earned yet go to the peers.
    private void Pay(IReadOnlyList<ShareEntry> dividends)
    {
        var whole = Rules.RewardPerSettlement + Unpaid;
        Unpaid = 0;
        var forAudits = PartOf(whole, Rules.AuditShare);
        var forValidators = dividends.Count > 0 ? PartOf(whole, Rules.DividendShare) : 0;
        Minted += whole;
        AuditFund += forAudits;
        Pay(whole - forAudits - forValidators, ConsensusShares);
        if (forValidators > 0)
        {
            Pay(forValidators, dividends);
        }
    }

    private void Pay(long amount, IReadOnlyList<ShareEntry> shares)
    {
        var parts = new long[shares.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = shares[i].Share;
        }

        var amounts = Consensus.Divide(amount, parts);
        for (var i = 0; i < parts.Length; i++)
        {
            Credit(shares[i].Uid.Value, amounts[i]);
        }
    }

    private static long PartOf(long whole, long billionths) => (long)((Int128)whole * billionths / Shares.One);

    // A newcomer's pay stays locked as bond until it is established; of one that has left nothing is locked any more.
    private void Credit(int index, long amount)
    {
        var member = _members[index];
        var missing = member.Role == Role.Peer && !member.HasLeft ? Rules.PeerBondMin - member.Bond : 0;
        var locked = Math.Clamp(missing, 0, amount);
        _members[index] = member with { Bond = member.Bond + locked, Reward = member.Reward + amount - locked };
    }
}
