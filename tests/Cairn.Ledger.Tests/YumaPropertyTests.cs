using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>What must hold of Yuma for any state, on states drawn from a seed; and its corners, one by one.</summary>
public sealed class YumaPropertyTests
{
    private static readonly YumaRules[] Kinds =
    [
        new(), new() { Version3 = true }, new() { Version3 = true, LiquidAlpha = true, BondsPenalty = 30_000 }, new() { BondsPenalty = 0, Kappa = 45_000 },
    ];

    [Fact]
    public void Parts_sum_to_one_or_to_nothing()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var epoch = Any((ulong)seed, out var random);
            var permitsMax = random.NextBelow(8);
            var outcome = YumaConsensus.Run(epoch, Kinds[seed % Kinds.Length] with { PermitsMax = (ushort)permitsMax });
            foreach (var parts in new[] { outcome.Incentive, outcome.Dividends })
            {
                // Each of n parts is rounded down once.
                var sum = parts.Sum(part => part);
                Assert.True(sum == 0 || (sum <= 65535 && sum >= 65535 - epoch.Uids), $"seed {seed}: {sum}");
            }

            Assert.True(outcome.Permits.Count(permit => permit) <= Math.Min(permitsMax, epoch.Stake.Count(own => own > 0)));
            Assert.All(Enumerable.Range(0, epoch.Uids), i => Assert.True(outcome.Permits[i] || !epoch.Permits[i] || outcome.Bonds[i].Length == 0));
        }
    }

    [Fact]
    public void A_row_without_words_and_bonds_costs_nothing()
    {
        const int Columns = 4096;
        var fresh = new Cell[Columns][];
        var old = new Cell[Columns][];
        Array.Fill(fresh, []);
        Array.Fill(old, []);
        fresh[7] = [new Cell(3, Fixed32.One)];
        old[9] = [new Cell(5, Fixed32.One)];
        var half = Fixed32.One / (Fixed32.One + Fixed32.One);
        BondsEma.Move(fresh, old, half, Columns);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var moved = BondsEma.Move(fresh, old, half, Columns);
        var taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(taken, 0, 10 * Columns * sizeof(long));
        Assert.Equal(new Cell(3, half), Assert.Single(moved[7]));
        Assert.Equal(new Cell(5, half), Assert.Single(moved[9]));
        Assert.Equal(2, moved.Sum(row => row.Length));
    }

    [Fact]
    public void Who_comes_first_decides_nothing()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var epoch = Any((ulong)seed, out var random);
            var (rules, n) = (Kinds[seed % Kinds.Length], epoch.Uids);
            var to = Enumerable.Range(0, n).ToArray();
            for (var i = n - 1; i > 0; i--)
            {
                var j = random.NextBelow(i + 1);
                (to[i], to[j]) = (to[j], to[i]);
            }

            var plain = YumaConsensus.Run(epoch, rules);
            var moved = YumaConsensus.Run(Moved(epoch, to), rules);
            for (var i = 0; i < n; i++)
            {
                Assert.Equal(
                    (plain.Consensus[i], plain.Incentive[i], plain.Dividends[i], plain.Trust[i], plain.ValidatorTrust[i], plain.Permits[i], plain.Pay[i]),
                    (moved.Consensus[to[i]], moved.Incentive[to[i]], moved.Dividends[to[i]], moved.Trust[to[i]], moved.ValidatorTrust[to[i]],
                        moved.Permits[to[i]], moved.Pay[to[i]]));
                Assert.Equal(Renamed(plain.Bonds[i], to), moved.Bonds[to[i]]);
            }
        }
    }

    [Fact]
    public void A_minority_below_kappa_cannot_raise_a_score_above_what_the_others_say()
    {
        var tried = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new SeededRandom((ulong)seed, "test/minority");
            var rules = Kinds[seed % Kinds.Length];
            const int Validators = 6, Uids = 10;
            var stake = Enumerable.Range(0, Uids).Select(i => i < Validators ? 1 + (ulong)random.NextBelow(1000) : 0).ToArray();
            var honest = Enumerable.Range(0, Validators).Select(_ => random.NextBelow(2) == 0).ToArray();
            var minority = stake.Take(Validators).Zip(honest, (own, isHonest) => isHonest ? 0 : (long)own).Sum();
            if ((minority + 1) * 65535 >= rules.Kappa * stake.Sum(own => (long)own))
            {
                continue;
            }

            tried++;
            Score[] Row() => [.. Enumerable.Range(Validators, Uids - Validators).Select(uid => new Score((ushort)uid, (ushort)(1 + random.NextBelow(65535))))];
            var opinions = Enumerable.Range(0, Uids).Select(i => i < Validators ? Row() : []).ToArray();
            for (var i = 0; i < Validators; i++)
            {
                opinions[i] = honest[i] ? opinions[i] : [new Score((ushort)(Uids - 1), ushort.MaxValue)];
            }

            var outcome = YumaConsensus.Run(Plain(stake, Validators, opinions), rules);
            var most = opinions.Take(Validators).Where((_, i) => honest[i])
                .Max(row => row.Single(score => score.Uid == Uids - 1).Value * 65535L / row.Sum(score => (long)score.Value));
            Assert.InRange(outcome.Consensus[^1], 0, most);
        }

        Assert.True(tried > 50, $"{tried} tried");
    }

    [Fact]
    public void A_score_counts_if_exactly_kappa_supports_it_and_not_below()
    {
        // Half of the stake says all of peer 2, half all of peer 3.
        var epoch = Plain([1, 1, 0, 0], 2, [[new(2, 1)], [new(3, 1)], [], []]);
        Assert.Equal([0, 0, 65535, 65535], YumaConsensus.Run(epoch, new YumaRules { Kappa = 32767 }).Consensus.Select(score => (int)score));
        Assert.Equal([0, 0, 0, 0], YumaConsensus.Run(epoch, new YumaRules { Kappa = 32768 }).Consensus.Select(score => (int)score));
    }

    [Fact]
    public void Nobody_is_heard_of_himself_but_the_owner()
    {
        var epoch = Plain([1, 1, 0], 2, [[new(0, 3), new(2, 1)], [new(0, 3), new(2, 1)], []]);
        var rules = new YumaRules { Kappa = 40_000 };
        Assert.Equal([0, 0, 65535], YumaConsensus.Run(epoch, rules).Incentive.Select(part => (int)part));

        // With the owner heard of itself, both say the same of uid 0; else half of the stake does, which is below κ.
        Assert.Equal(49151, YumaConsensus.Run(epoch with { OwnerUid = 0 }, rules).Consensus[0]);
        Assert.Equal(0, YumaConsensus.Run(epoch with { OwnerUid = 1 }, rules).Consensus[0]);
    }

    [Fact]
    public void Who_has_no_permit_is_not_heard_and_keeps_what_bonds_it_had()
    {
        Score[] kept = [new(2, 77)];
        var epoch = Plain([5, 5, 0, 0], 2, [[new(2, 1)], [new(3, 1)], [], []]) with { Permits = [true, false, false, false], Bonds = [[], kept, kept, []] };
        var outcome = YumaConsensus.Run(epoch, new YumaRules { PermitsMax = 4 });
        Assert.Equal((65535, 0), (outcome.Incentive[2], outcome.Incentive[3]));
        Assert.Equal(kept, outcome.Bonds[2]);
        Assert.Equal([true, true, false, false], outcome.Permits);
        Assert.Equal([false, true, false, false], YumaConsensus.Run(epoch, new YumaRules { PermitsMax = 1 }).Permits);
        Assert.Empty(YumaConsensus.Run(epoch, new YumaRules { PermitsMax = 1 }).Bonds[0]);
    }

    [Fact]
    public void Who_was_silent_too_long_has_no_stake_and_opinions_of_a_predecessor_are_void()
    {
        var epoch = Plain([6, 4, 0, 0], 2, [[new(2, 1)], [new(3, 1)], [], []]);
        var clock = new YumaClock(Block: 100, Tempo: 10, ActivityCutoff: 20, LastUpdate: [80, 80, 0, 0], Registered: [0, 0, 0, 0]);
        Assert.Equal((65535, 0), PayOfPeers(clock));
        Assert.Equal((0, 65535), PayOfPeers(clock with { LastUpdate = [79, 80, 0, 0] }));
        Assert.Equal((0, 0), PayOfPeers(clock with { Registered = [0, 0, 80, 0] }));
        Assert.Equal((65535, 0), PayOfPeers(clock with { Registered = [0, 0, 79, 0] }));
        Assert.Equal([true, true, false, false], YumaConsensus.Run(epoch with { Clock = clock }, new YumaRules()).Active);

        (int, int) PayOfPeers(YumaClock times)
        {
            var outcome = YumaConsensus.Run(epoch with { Clock = times }, new YumaRules());
            return (outcome.Incentive[2], outcome.Incentive[3]);
        }
    }

    [Theory]
    [InlineData(89, 100)]
    [InlineData(90, 0)]
    public void Bonds_to_a_newcomer_are_void(int registered, int left)
    {
        var epoch = Plain([1, 0], 1, [[], []]) with
        {
            Bonds = [[new(1, 200)], []],
            Clock = new YumaClock(100, 10, 1000, [95, 0], [0, (ulong)registered]),
        };
        var outcome = YumaConsensus.Run(epoch, new YumaRules { Version3 = true, BondsMovingAverage = 503_000 });
        Assert.Equal(left, outcome.Bonds[0].SingleOrDefault().Value);
    }

    [Fact]
    public void Under_liquid_alpha_a_score_of_zero_lets_a_bond_decay_and_none_drops_it()
    {
        var rules = new YumaRules { Version3 = true, LiquidAlpha = true };
        var epoch = Plain([1, 0, 0], 1, [[new(1, 0), new(2, 9)], [], []]) with { Bonds = [[new(1, 60_000)], [], []] };
        Assert.InRange(YumaConsensus.Run(epoch, rules).Bonds[0].Single(score => score.Uid == 1).Value, 1, 59_999);
        Assert.DoesNotContain(YumaConsensus.Run(epoch with { Opinions = [[new(2, 9)], [], []] }, rules).Bonds[0], score => score.Uid == 1);

        // One rate for all keeps it either way.
        Assert.Equal(54_000, YumaConsensus.Run(epoch with { Opinions = [[new(2, 9)], [], []] }, rules with { LiquidAlpha = false }).Bonds[0][0].Value, 1.0);
    }

    [Fact]
    public void Without_stake_nobody_is_paid_and_without_agreement_stake_is()
    {
        var none = YumaConsensus.Run(Plain([0, 0], 2, [[new(1, 1)], [new(0, 1)]]), new YumaRules());
        Assert.All(none.Pay, part => Assert.Equal(Fixed32.Zero, part));
        Assert.All(none.Permits, Assert.False);
        var silent = YumaConsensus.Run(Plain([3, 1], 2, [[], []]), new YumaRules());
        Assert.Equal([Fixed32.One.Bits / 4 * 3, Fixed32.One.Bits / 4], silent.Pay.Select(part => part.Bits));

        // Of stake alone without a permit, not even that is masked.
        var idle = YumaConsensus.Run(Plain([3, 1], 0, [[], []]), new YumaRules());
        Assert.Equal(Fixed32.One.Bits / 4 * 3, idle.Pay[0].Bits);
    }

    [Fact]
    public void Extreme_numbers_are_computed_not_refused()
    {
        foreach (var rules in Kinds)
        {
            var wild = rules with { Kappa = 65535, BondsMovingAverage = YumaRules.BondsMovingAverageMax, Steepness = short.MinValue, AlphaLow = 65535, AlphaHigh = 0 };
            var outcome = YumaConsensus.Run(Any(3, out _), wild);
            Assert.All(outcome.Incentive, part => Assert.InRange(part, 0, 65535));
            YumaConsensus.Run(Plain([long.MaxValue - 1, 1], 2, [[new(1, 1), new(40_000, 3)], [new(0, ushort.MaxValue)]]), wild with { Kappa = 0 });
        }
    }

    private static YumaEpoch Plain(ulong[] stake, int validators, Score[][] opinions) => new()
    {
        Stake = stake,
        Permits = [.. stake.Select((_, i) => i < validators)],
        Opinions = opinions,
        Bonds = [.. stake.Select(_ => Array.Empty<Score>())],
    };

    private static YumaEpoch Any(ulong seed, out SeededRandom random)
    {
        var draw = new SeededRandom(seed, "test/yuma");
        var n = 2 + draw.NextBelow(12);
        Score[] Row() => [.. Enumerable.Range(0, n).Where(_ => draw.NextBelow(3) > 0).Select(uid => new Score((ushort)uid, (ushort)draw.NextBelow(65536)))];

        // Stakes are all different: of equal ones the uid decides who may validate.
        var epoch = new YumaEpoch
        {
            Stake = [.. Enumerable.Range(0, n).Select(i => draw.NextBelow(4) == 0 && i > 0 ? 0 : ((ulong)draw.NextBelow(1 << 30) << 8) + (ulong)i + 1)],
            Permits = [.. Enumerable.Range(0, n).Select(i => draw.NextBelow(3) > 0 || i == 0)],
            Opinions = [.. Enumerable.Range(0, n).Select(_ => Row())],
            Bonds = [.. Enumerable.Range(0, n).Select(_ => Row())],
            OwnerUid = draw.NextBelow(n + 1) - 1,
            Clock = new YumaClock(
                1000, 100, 500, [.. Enumerable.Range(0, n).Select(_ => (ulong)(400 + draw.NextBelow(600)))], [.. Enumerable.Range(0, n).Select(_ => (ulong)draw.NextBelow(950))]),
        };
        random = draw;
        return epoch;
    }

    private static YumaEpoch Moved(YumaEpoch epoch, int[] to)
    {
        var from = Enumerable.Range(0, to.Length).OrderBy(i => to[i]).ToArray();
        return new YumaEpoch
        {
            Stake = [.. from.Select(i => epoch.Stake[i])],
            Permits = [.. from.Select(i => epoch.Permits[i])],
            Opinions = [.. from.Select(i => Renamed(epoch.Opinions[i], to))],
            Bonds = [.. from.Select(i => Renamed(epoch.Bonds[i], to))],
            OwnerUid = epoch.OwnerUid < 0 ? -1 : to[epoch.OwnerUid],
            Clock = epoch.Clock! with { LastUpdate = [.. from.Select(i => epoch.Clock.LastUpdate[i])], Registered = [.. from.Select(i => epoch.Clock.Registered[i])] },
        };
    }

    private static Score[] Renamed(Score[] row, int[] to) => [.. row.Select(score => score with { Uid = (ushort)to[score.Uid] }).OrderBy(score => score.Uid)];
}
