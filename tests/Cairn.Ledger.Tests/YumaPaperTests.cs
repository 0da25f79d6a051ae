namespace Cairn.Ledger.Tests;

/// <summary>Numbers that subtensor publishes in its own test of bonds (test_bonds): four validators with 1, 2, 3 and 4 of stake, four peers.</summary>
public sealed class YumaPaperTests
{
    private static readonly Score[] Tenths = [new(4, 16383), new(5, 32767), new(6, 49149), new(7, 65535)];

    // Servers' part of 10⁹ while at least half of the stake agrees.
    private static readonly long[] ToPeers = [49_998_779, 100_000_610, 149_996_337, 200_004_272];

    [Fact]
    public void Bonds_and_pay_are_those_published_epoch_by_epoch()
    {
        var opinions = new Score[][] { Tenths, Tenths, Tenths, Tenths, [], [], [], [] };
        var bonds = new Score[8][];
        Array.Fill(bonds, []);

        Epoch(4, [16383, 32767, 49151, 65535], [49_999_998, 99_999_999, 150_000_000, 200_000_001, .. ToPeers]);
        opinions[0] = [new Score(0, 65535)]; // one that speaks of itself says nothing
        Epoch(4, [14582, 32767, 49151, 65535], [44_998_351, 101_110_561, 151_667_215, 202_223_870, .. ToPeers]);
        opinions[1] = [new Score(1, 65535)];
        Epoch(4, [12603, 28321, 49151, 65535], [40_496_805, 90_999_783, 157_929_636, 210_573_773, .. ToPeers]);
        opinions[2] = [new Score(2, 65535)]; // less than half speaks: nothing is agreed, pay goes by stake
        Epoch(7, [12602, 28320, 49150, 65535], [99_999_999, 199_999_999, 299_999_999, 399_999_999, 0, 0, 0, 0]);
        opinions[2] = [new Score(7, 65535)];
        Epoch(7, [10951, 24609, 49150, 65535], [36_443_733, 81_898_628, 163_565_493, 218_092_144, 0, 0, 0, 500_000_000]);
        Epoch(7, [9559, 21482, 49150, 65535], [32_799_427, 73_706_612, 168_638_129, 224_855_830, 0, 0, 0, 500_000_000]);

        void Epoch(int peer, int[] bondsToPeer, long[] pay)
        {
            var outcome = YumaConsensus.Run(
                new YumaEpoch { Stake = [1, 2, 3, 4, 0, 0, 0, 0], Permits = [true, true, true, true, false, false, false, false], Opinions = opinions, Bonds = bonds },
                new YumaRules { PermitsMax = 8 });
            bonds = [.. outcome.Bonds];
            Assert.Equal(bondsToPeer, bonds[..4].Select(row => (int)row.Single(score => score.Uid == peer).Value));
            Assert.Equal(pay, outcome.Pay.Select(part => (long)((Int128)part.Bits * 1_000_000_000 >> 32)));
        }
    }

    [Fact]
    public void The_exponential_has_the_corners_of_the_published_one()
    {
        Assert.Equal(Fixed32.One, Exponential.Of(Fixed32.Zero));
        Assert.Equal(0x2B7E15000, Exponential.Of(Fixed32.One).Bits); // e with 23 bits after the point
        Assert.Equal(Fixed32.Zero, Exponential.Of(Fixed32.Of(22))); // out of range: 0, not the largest number
        Assert.Equal(Fixed32.Zero, Exponential.Of(Fixed32.Of(-22)));
        Assert.Equal(Fixed32.Zero, Exponential.Of(new Fixed32(long.MinValue)));
        for (var tenths = -50; tenths <= 50; tenths++)
        {
            var x = Fixed32.Of(tenths) / Fixed32.Of(10);
            var relative = Exponential.Of(x).Bits / Math.Pow(2, 32) / Math.Exp(x.Bits / Math.Pow(2, 32));
            Assert.InRange(relative, 1 - 1e-6, 1 + 1e-6);
        }
    }
}
