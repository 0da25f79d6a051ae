using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class ManifestTests
{
    [Theory]
    [InlineData(5, 3, 2, false, true, true, false)] // exactly half is no majority
    [InlineData(5, 3, 2, true, false, false, false)]
    [InlineData(5, 3, 2, true, false, true, true)]
    [InlineData(1, 1, 1, true, true, false, true)]
    [InlineData(1, 1, 1, true, false, false, false)]
    public void An_update_is_in_if_validators_with_more_than_half_of_all_bond_accept_it(int a, int b, int c, bool byA, bool byB, bool byC, bool expected)
    {
        var world = new World(peers: 2, validators: 3, validatorBonds: [a, b, c]);
        world.CommitAll();
        world.RevealAll();
        bool[] accepts = [byA, byB, byC];
        for (var i = 0; i < 3; i++)
        {
            world.Must(2 + i, accepts[i] ? world.Verdict() : world.Verdict(0));
        }

        var manifest = world.State.ManifestOf(new Round(0))!;
        Assert.Equal(expected, manifest.Contains(new Uid(0)));
        Assert.True(manifest.Contains(new Uid(1)));
        Assert.Equal((expected ? 1 : 0, expected ? 0 : 1), (world.State.AcceptedOf(new Uid(0)), world.State.RejectionsOf(new Uid(0))));
    }

    [Fact]
    public void Absent_validators_count_against_acceptance()
    {
        var world = new World(peers: 1, validators: 2, validatorBonds: [5, 5]);
        world.CommitAll();
        world.RevealAll();
        world.Must(1, world.Verdict());
        world.Must(1, world.Timeout());
        world.Must(2, world.Timeout());
        Assert.True(world.State.ManifestOf(new Round(0))!.Empty);
    }

    [Theory]
    [InlineData(1, 1, 1, 2)]
    [InlineData(3, 1, 1, 1)]
    [InlineData(1, 1, 3, 4)]
    [InlineData(2, 1, 1, 1)] // half lies at 1: the lower median
    public void A_weight_is_the_bond_weighted_lower_median_of_the_accepted_samples(int a, int b, int c, int expected)
    {
        var world = new World(peers: 1, validators: 3, validatorBonds: [a, b, c]);
        world.CommitAll();
        world.RevealAll();
        world.Must(1, Accept(1));
        world.Must(2, Accept(2));
        world.Must(3, Accept(4));
        Assert.Equal(expected, Assert.Single(world.State.ManifestOf(new Round(0))!.Entries).Weight);

        Verdict Accept(int samples) => new(new Round(0), [new VerdictEntry(new Uid(0), Rejection.None, samples)]);
    }

    [Fact]
    public void After_an_empty_round_the_same_samples_come_again_and_no_step_was_done()
    {
        var world = new World(peers: 3);
        var before = Samples(world);
        world.CommitAll();
        world.RevealAll();
        world.JudgeAll(0, 1, 2);
        Assert.True(world.State.ManifestOf(new Round(0))!.Empty);
        Assert.Equal(before, Samples(world));
        world.PostAllBases();
        Assert.Equal(new Round(1), world.State.CurrentRound);
        Assert.Equal(before.Order(), Samples(world).Order());
        Assert.Equal((0L, 0L, 12L), (world.State.StepsDone, world.State.SamplesTrained, world.State.SamplesIssued));
    }

    [Fact]
    public void Samples_of_a_refused_update_are_issued_first_in_the_next_round_and_to_another_peer()
    {
        var world = new World(peers: 3);
        var lost = world.State.SamplesOf(new Uid(1)).ToArray();
        var all = Samples(world);
        world.Round(1);
        Assert.NotEqual(lost, world.State.SamplesOf(new Uid(1)));
        Assert.Contains(Enumerable.Range(0, 3), uid => world.State.SamplesOf(new Uid(uid)).SequenceEqual(lost));
        Assert.Equal(4, Samples(world).Intersect(all).Count());
    }

    [Fact]
    public void Newcomers_together_weigh_at_most_a_tenth_while_others_are_there()
    {
        var world = new World(peers: 2, change: rules => rules with { PeersMax = 20 });
        for (var i = 0; i < 5; i++)
        {
            world.NewKey();
            world.Must(3 + i, new Register(Role.Peer, $"new-{i}", Digest.Zero));
        }

        world.Round();
        Assert.Equal(7, world.State.Roster.Count);
        world.Round();
        var entries = world.State.ManifestOf(new Round(1))!.Entries;
        Assert.Equal(7, entries.Count);
        var newcomers = entries.Where(entry => entry.Uid.Value >= 3).Sum(entry => entry.Weight);
        var all = entries.Sum(entry => entry.Weight);
        Assert.InRange(newcomers * 100, 9 * all, 10 * all);
        Assert.Equal(entries[0].Weight, entries[1].Weight);
    }

    [Fact]
    public void Among_newcomers_alone_nothing_is_limited()
    {
        var world = new World(peers: 2, peerBond: 0);
        Assert.All(world.State.Roster, entry => Assert.True(entry.Newcomer));
        world.Round();
        Assert.All(world.State.ManifestOf(new Round(0))!.Entries, entry => Assert.Equal(4, entry.Weight));
    }

    [Fact]
    public void The_quorum_base_needs_more_than_half_of_all_validator_bond()
    {
        var world = new World(peers: 1, validators: 3, validatorBonds: [5, 3, 2]);
        world.CommitAll();
        world.RevealAll();
        world.JudgeAll();
        world.Must(0, world.Base(9));
        world.Must(1, world.Base(1));
        Assert.Null(world.State.QuorumBase(new Round(0)));
        world.Must(2, world.Base());
        Assert.Null(world.State.QuorumBase(new Round(0)));
        world.Must(3, world.Base(1));
        Assert.Equal(World.Named("base", 1000), world.State.QuorumBase(new Round(0)));
        Assert.Equal(World.Named("base", 9000), world.State.BaseOf(new Round(0), new Uid(0)));
    }

    private static long[] Samples(World world) => [.. Enumerable.Range(0, 3).SelectMany(uid => world.State.SamplesOf(new Uid(uid)))];
}
