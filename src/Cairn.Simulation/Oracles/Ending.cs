using System.Globalization;
using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>The end of a run as the claims of adversaries look at it.</summary>
internal sealed class Ending(World world)
{
    private const double LuckInRounds = 1.75;
    // With luck over 12 rounds 1.546; 1.522 is the most that was seen in 10,000 seeds, once, where a vote had changed rules and with them everybody's draws.
    private const double FewerPart = 1.4;
    private const int RoundsThatTell = 8;
    private List<Payday>? _paydays;

    /// <summary>A peer of the scenario.</summary>
    public SimNode PeerAt(int place) => world.Nodes[place];

    /// <summary>All members of one conduct.</summary>
    public IEnumerable<SimNode> AllOf(string conduct) => world.Nodes.Where(node => node.Plan.Conduct == conduct);

    /// <summary>Compares the pay of one with that of an honest peer.</summary>
    public string? PaidMoreThan(SimNode one, double part, Round from = default) => PaidMoreThan([one], part, from);

    /// <summary>Compares what some earned together, in settlements that began at a round or later, with a part of what the best paid honest peer earned in each of
    /// them that no fault kept from work; settlements without such a peer tell nothing.</summary>
    /// <param name="some">Who earned.</param>
    /// <param name="part">The part they may have in the mean.</param>
    /// <param name="from">Settlements that began before it are left out.</param>
    /// <returns>What was seen, or null.</returns>
    public string? PaidMoreThan(IReadOnlyCollection<SimNode> some, double part, Round from = default)
    {
        var (paid, typical, rounds) = PayOf(some, from);

        // Pay follows what probes find, and a probe is a sample: luck, and first rounds that tell nothing, may give the pay of a round and three quarters
        // in a single run (1.55 at most in 10,000 seeds). What a cheat earns in the mean of many runs is held by the tests.
        // Where nothing may be earned, nothing is.
        return typical == 0 || paid <= (part + (part > 0 ? LuckInRounds / rounds : 0)) * typical ? null
            : string.Create(CultureInfo.InvariantCulture, $"it earned {paid / typical:0.000} of an honest peer's pay in {rounds} rounds");
    }

    /// <summary>What some earned together, and what an honest peer that no fault kept from work earned in the same rounds.</summary>
    public (double Paid, double Typical, int Rounds) PayOf(IReadOnlyCollection<SimNode> some, Round from = default)
    {
        var (paid, typical, rounds) = (0.0, 0.0, 0);
        foreach (var payday in _paydays ??= Paydays())
        {
            if (payday.From.Number < from.Number || payday.Best == 0)
            {
                continue;
            }

            rounds += payday.Rounds;
            typical += payday.Best;
            paid += some.Sum(node => node.Uid is { } uid ? payday.Paid.GetValueOrDefault(uid) : 0);
        }

        return (paid, typical, rounds);
    }

    /// <summary>Compares the pay of a peer that declared fewer samples with what they are worth.</summary>
    public string? PaidForMoreThanItsSamples(SimNode me)
    {
        var (paid, due, rounds) = PayForSamples(me);
        return due == 0 || paid <= due * (FewerPart + (LuckInRounds / rounds)) ? null
            : string.Create(CultureInfo.InvariantCulture, $"it earned {paid / due:0.000} times what its samples are worth in {rounds} rounds");
    }

    /// <summary>What a peer earned, and what the samples it was given were worth at the rate of the best paid honest peer that no fault kept from work.</summary>
    public (double Paid, double Due, int Rounds) PayForSamples(SimNode me)
    {
        var (paid, due, rounds) = (0.0, 0.0, 0);
        foreach (var payday in (_paydays ??= Paydays()).Where(payday => payday is { Best: > 0, Rounds: > 0 } && me.Uid is not null))
        {
            var uid = me.Uid!.Value;
            var mine = Enumerable.Range(payday.From.Number, payday.To.Number - payday.From.Number + 1).Select(number => new Round(number))
                .Where(round => !world.Ledger.Head.ManifestOf(round)!.Empty).Sum(round => world.Oracle.SamplesGiven(round, uid));
            rounds += payday.Rounds;
            paid += payday.Paid.GetValueOrDefault(uid);
            due += payday.Best * mine / payday.Rounds / world.Scenario.SamplesPerPeer;
        }

        return (paid, due, rounds);
    }

    // Every cheat is compared with the same settlements, so what they paid is gathered once.
    private List<Payday> Paydays()
    {
        var honest = world.Nodes.Where(node => node is { Role: Role.Peer, Plan: { IsHonest: true, Samples: 0 }, Uid: not null }).Select(node => node.Uid!.Value).ToList();
        var paydays = new List<Payday>();
        var first = 0;
        foreach (var settlement in world.Oracle.Settlements)
        {
            var manifests = Enumerable.Range(first, settlement.Round.Number + 1 - first).Select(round => world.Ledger.Head.ManifestOf(new Round(round))!)
                .Where(manifest => !manifest.Empty).ToList();
            var paid = settlement.Paid.ToDictionary(share => share.Uid, share => (double)share.Share);
            var undisturbed = honest.Where(uid => manifests.TrueForAll(manifest => manifest.Contains(uid))).ToHashSet();
            paydays.Add(new Payday(
                new Round(first), settlement.Round, manifests.Count, undisturbed.Max(uid => (double?)paid.GetValueOrDefault(uid)) ?? 0, undisturbed, paid));
            first = settlement.Round.Number + 1;
        }

        return paydays;
    }

    private sealed record Payday(Round From, Round To, int Rounds, double Best, IReadOnlySet<Uid> Undisturbed, IReadOnlyDictionary<Uid, double> Paid);

    /// <summary>Looks for an honest peer that was in every manifest and earned no more than an adversary over the whole run, but for settlements
    /// of rounds that faults kept all such peers from.</summary>
    /// <param name="cheat">The adversary.</param>
    /// <returns>What was seen, or null; null too for a run of few rounds, in which luck decides.</returns>
    public string? EarnedNoLessThanAnHonestPeer(SimNode cheat)
    {
        List<Payday> paydays = [.. (_paydays ??= Paydays()).Where(payday => payday.Undisturbed.Count > 0)];
        if (paydays.Sum(payday => payday.Rounds) < RoundsThatTell || cheat.Uid is not { } uid)
        {
            return null;
        }

        double Earned(Uid who) => paydays.Sum(payday => payday.Paid.GetValueOrDefault(who));
        var undisturbed = world.Nodes.Where(node => node is { Role: Role.Peer, Plan: { IsHonest: true, Samples: 0 }, Uid: not null }
            && paydays.TrueForAll(payday => payday.Undisturbed.Contains(node.Uid.Value)));
        var (least, theirs) = (undisturbed.OrderBy(node => Earned(node.Uid!.Value)).FirstOrDefault(), Earned(uid));
        return least is null || theirs == 0 || theirs < Earned(least.Uid!.Value)
            ? null : $"it earned {theirs}, and {least.Name}, which worked in every round, {Earned(least.Uid!.Value)}";
    }

    /// <summary>Looks for a manifest in which members of one conduct weigh more than newcomers may.</summary>
    public string? WeighsMoreThanTenth(string conduct)
    {
        var uids = AllOf(conduct).Select(node => node.Uid).ToHashSet();
        for (var round = 0; round < world.Scenario.Rounds; round++)
        {
            var entries = world.Ledger.Head.ManifestOf(new Round(round))!.Entries;
            var (theirs, all) = (entries.Where(entry => uids.Contains(entry.Uid)).Sum(entry => entry.Weight), entries.Sum(entry => entry.Weight));
            if (theirs * 10 > all && theirs < all)
            {
                return $"it weighs {theirs} of {all} in round {round}";
            }
        }

        return null;
    }

    /// <summary>Looks for a payment that lies outside of what the honest validators said, where they have more than half of the voices and say nearly the same.</summary>
    /// <remarks>Where honest validators differ (one has lost its book), the ledger's medians are low for everybody, and dividing them anew lets a liar decide: that
    /// is a finding about the settlement, not held here.</remarks>
    public string? OutsideOfHonestShares()
    {
        foreach (var settlement in world.Oracle.Settlements)
        {
            var honest = settlement.Posted.Where(pair => world.NodeOf(pair.Key).Plan.IsHonest).Select(pair => pair.Value).ToList();
            if (2 * honest.Count <= settlement.Posted.Count || !Agree(honest))
            {
                continue;
            }

            // Who is paid nothing is not listed: those that somebody said something of are looked at too.
            foreach (var uid in settlement.Paid.Select(share => share.Uid).Concat(honest.SelectMany(shares => shares.Select(share => share.Uid))).Distinct())
            {
                var paid = settlement.Paid.Where(share => share.Uid == uid).Sum(share => share.Share);
                var said = honest.Select(shares => shares.Where(share => share.Uid == uid).Sum(share => share.Share)).ToList();
                // What remains of the medians is divided anew, so that a little is shifted to all.
                if (paid > (said.Max() * 1.5) + 1 || paid < (said.Min() * 0.5) - 1)
                {
                    return $"uid {uid} was paid {paid} after round {settlement.Round}, honest validators said {string.Join(", ", said)}";
                }
            }
        }

        return null;
    }

    private static bool Agree(List<IReadOnlyList<ShareEntry>> said) => said.TrueForAll(one => one.Count == said[0].Count
        && Enumerable.Range(0, one.Count).All(i => one[i].Uid == said[0][i].Uid && Math.Abs(one[i].Share - said[0][i].Share) <= (said[0][i].Share / 4) + 1));
}
