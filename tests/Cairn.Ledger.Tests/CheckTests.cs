using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class CheckTests
{
    [Fact]
    public void A_signature_of_another_run_or_key_is_refused()
    {
        var world = new World();
        var commit = world.Commit(0);
        // A run of the same rules with one member more.
        var other = world.Genesis with { Allocations = [new Allocation(world.NewKey().Public, 1)] };
        Assert.Equal(other.RulesDigest, world.Genesis.RulesDigest);
        Assert.Equal(Rejection.BadSignature, world.State.Check(SignedOperation.Sign(world.Key(0), other.Digest, commit)));

        byte[] bytes = world.Sign(0, commit).ToBytes();
        world.Key(1).Public.Bytes.CopyTo(bytes);
        Assert.True(SignedOperation.TryRead(bytes, out var stolen, out _));
        Assert.Equal(Rejection.BadSignature, world.State.Check(stolen!));
    }

    [Fact]
    public void What_was_asked_of_an_opening_before_does_not_show_in_its_root_nor_in_what_it_is_equal_to()
    {
        var world = new World();
        var (round, opening) = (world.State.CurrentRound, world.Opening(0));
        var root = opening.Root(new Uid(0), round);
        Assert.Equal(world.Opening(0), opening);
        Assert.Equal(world.Opening(0).GetHashCode(), opening.GetHashCode());
        Assert.Equal(root, world.Opening(0).Root(new Uid(0), round));
        Assert.NotEqual(root, opening.Root(new Uid(1), round));
        Assert.NotEqual(root, opening.Root(new Uid(0), new Round(round.Number + 1)));

        // A copy takes along what was remembered, and has a root of its own.
        Assert.Equal(root, opening.Root(new Uid(0), round));
        var other = opening with { SizeBytes = opening.SizeBytes + 1 };
        Assert.Equal(new Opening(other.ObjectDigest, other.SizeBytes, other.Key, other.BaseDigest, other.Receipt, other.Trace).Root(new Uid(0), round), other.Root(new Uid(0), round));
        Assert.NotEqual(root, other.Root(new Uid(0), round));
        Assert.Equal(root, opening.Root(new Uid(0), round));
    }

    [Fact]
    public void A_stranger_may_only_register()
    {
        var world = new World();
        world.NewKey();
        Assert.Equal(Rejection.NotEntitled, world.Check(4, world.Commit(0)));
        Assert.Equal(Rejection.None, world.Check(4, new Register(Role.Peer, "stranger", Digest.Zero)));
    }

    [Fact]
    public void Saying_the_same_twice_is_harmless_and_something_else_is_equivocation()
    {
        var world = new World(peers: 2, validators: 2, change: rules => rules with { SettleEvery = 1 });
        Twice(world, 0, world.Commit(0), new Commit(new Round(0), Digest.Zero));
        world.Must(1, world.Commit(1));
        Twice(world, 0, world.Reveal(0), new Reveal(new Round(0), world.Opening(1)));
        world.Must(1, world.Reveal(1));
        Twice(world, 2, world.Beacon(2), new Beacon(new Round(0), Digest.Zero));
        world.Must(3, world.Beacon(3));
        Twice(world, 2, world.Verdict(), world.Verdict(1));
        world.Must(3, world.Verdict());
        Twice(world, 0, world.Base(), world.Base(1));
        world.Must(1, world.Base());
        world.Must(2, world.Base());
        world.Must(3, world.Base());
        Twice(world, 2, world.Share(Digest.Zero, (0, Shares.One)), world.Share(Digest.Zero, (1, Shares.One)));
    }

    [Fact]
    public void A_repeat_after_its_stage_is_still_a_repeat()
    {
        var world = new World(peers: 1);
        world.CommitAll();
        Assert.Equal(Rejection.AlreadyThere, world.Check(0, world.Commit(0)));
        Assert.Equal(Rejection.Equivocation, world.Check(0, new Commit(new Round(0), Digest.Zero)));
    }

    [Fact]
    public void What_comes_after_its_stage_is_late_and_before_it_out_of_turn()
    {
        var world = new World(peers: 2, validators: 1);
        Assert.Equal(Rejection.OutOfTurn, world.Check(0, world.Reveal(0)));
        Assert.Equal(Rejection.OutOfTurn, world.Check(2, world.Beacon(2)));
        Assert.Equal(Rejection.OutOfTurn, world.Check(2, world.Verdict()));
        Assert.Equal(Rejection.OutOfTurn, world.Check(0, world.Base()));
        Assert.Equal(Rejection.OutOfTurn, world.Check(0, new Commit(new Round(1), Digest.Zero)));
        Assert.Equal(Rejection.OutOfTurn, world.Check(2, world.Share(Digest.Zero)));
        world.Must(0, world.Commit(0));
        world.Must(2, world.Timeout());
        Assert.Equal(Rejection.Late, world.Check(1, world.Commit(1)));
        var old = world.Reveal(0);
        world.RevealAll();
        world.JudgeAll();
        world.PostAllBases();
        Assert.Equal(new Round(1), world.State.CurrentRound);
        Assert.Equal(Rejection.Late, world.Check(0, old));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)] // half is enough: who is told the other half by a friend knows the rest
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    public void Whoever_opens_once_the_beacon_can_be_known_is_too_late(int validators, int telling)
    {
        var world = new World(peers: 2, validators: validators);
        world.CommitAll();
        world.Must(0, world.Reveal(0));
        for (var i = 0; i < telling; i++)
        {
            Assert.Equal(Rejection.None, world.Check(1, world.Reveal(1)));
            world.Must(2 + i, world.Beacon(2 + i));
        }

        Assert.Equal(Rejection.Late, world.Check(1, world.Reveal(1)));
        // What was opened in time stands.
        Assert.Equal(Rejection.AlreadyThere, world.Check(0, world.Reveal(0)));
    }

    [Fact]
    public void Only_roster_peers_commit_and_only_who_committed_opens()
    {
        var world = new World(peers: 2);
        world.NewKey();
        world.Must(3, new Register(Role.Peer, "newcomer", Digest.Zero));
        Assert.Equal(Rejection.NotEntitled, world.Check(3, world.Commit(3)));
        Assert.Equal(Rejection.NotEntitled, world.Check(2, world.Commit(2)));
        world.Must(0, world.Commit(0));
        world.Must(2, world.Timeout());
        Assert.Equal(Rejection.NotEntitled, world.Check(1, world.Reveal(1)));
    }

    [Fact]
    public void An_opening_must_hash_to_what_was_committed()
    {
        var world = new World(peers: 2);
        world.CommitAll();
        var opening = world.Opening(0);
        foreach (var other in new[]
        {
            opening with { ObjectDigest = Digest.Zero }, opening with { SizeBytes = 1 }, opening with { Key = Digest.Zero },
            opening with { BaseDigest = Digest.Zero }, opening with { Receipt = Digest.Zero }, opening with { Trace = Digest.Zero }, world.Opening(1),
        })
        {
            Assert.Equal(Rejection.NotAsCommitted, world.Check(0, new Reveal(new Round(0), other)));
        }

        Assert.Equal(Rejection.None, world.Check(0, world.Reveal(0)));
    }

    [Fact]
    public void A_peer_cannot_commit_to_what_another_committed()
    {
        var world = new World(peers: 2);
        world.Must(0, world.Commit(0));
        world.Must(1, world.Commit(0));
        world.Must(0, world.Reveal(0));
        Assert.Equal(Rejection.NotAsCommitted, world.Check(1, world.Reveal(0)));
    }

    [Fact]
    public void A_beacon_must_be_the_preimage_of_the_tip()
    {
        var world = new World(peers: 1, validators: 2);
        world.CommitAll();
        Assert.Equal(Rejection.NotAsCommitted, world.Check(1, world.Beacon(2)));
        Assert.Equal(Rejection.NotEntitled, world.Check(0, world.Beacon(1)));
        Assert.Equal(Rejection.None, world.Check(1, world.Beacon(1)));
    }

    [Fact]
    public void A_verdict_covers_exactly_the_roster_and_accepts_only_what_was_opened()
    {
        var world = new World(peers: 3);
        world.CommitAll();
        world.Must(0, world.Reveal(0));
        world.Must(1, world.Reveal(1));
        world.Must(3, world.Beacon(3));
        world.Must(3, world.Timeout());
        Assert.Equal(Stage.Judge, world.State.Stage);
        var good = world.Verdict().Entries;
        Assert.Equal(Rejection.WrongShape, Judge(good.Take(2)));
        Assert.Equal(Rejection.WrongShape, Judge(good.Append(new VerdictEntry(new Uid(3), Rejection.Missing, 0))));
        Assert.Equal(Rejection.WrongShape, Judge(good.Take(2).Append(new VerdictEntry(new Uid(3), Rejection.Missing, 0))));
        Assert.Equal(Rejection.WrongSamples, Judge(good.Skip(1).Prepend(new VerdictEntry(new Uid(0), Rejection.None, 5))));
        Assert.Equal(Rejection.Missing, Judge(good.Take(2).Append(new VerdictEntry(new Uid(2), Rejection.None, 4))));
        Assert.Equal(Rejection.None, Judge(good));
        Assert.Equal(Rejection.NotEntitled, world.Check(0, world.Verdict()));

        Rejection Judge(IEnumerable<VerdictEntry> entries) => world.Check(3, new Verdict(new Round(0), [.. entries]));
    }

    [Fact]
    public void Shares_name_peers_only()
    {
        var world = new World(peers: 1, change: rules => rules with { SettleEvery = 1 });
        world.Round();
        Assert.Equal(Rejection.WrongShape, world.Check(1, world.Share(Digest.Zero, (1, Shares.One))));
        Assert.Equal(Rejection.WrongShape, world.Check(1, world.Share(Digest.Zero, (9, Shares.One))));
        Assert.Equal(Rejection.NotEntitled, world.Check(0, world.Share(Digest.Zero, (0, Shares.One))));
        Assert.Equal(Rejection.None, world.Check(1, world.Share(Digest.Zero)));
    }

    [Fact]
    public void A_check_changes_nothing()
    {
        var world = new World();
        var before = world.State.StateDigest();
        Assert.Equal(Rejection.None, world.Check(0, world.Commit(0)));
        Assert.Equal(Rejection.OutOfTurn, world.Check(0, world.Reveal(0)));
        Assert.Equal(before, world.State.StateDigest());
    }

    [Fact]
    public void A_block_that_does_not_follow_is_refused()
    {
        var world = new World();
        var commit = world.Sign(0, world.Commit(0));
        Assert.False(world.State.TryApply(Block.Create(2, world.State.Tip, [commit]), true, out var why));
        Assert.Equal(Rejection.NotAsCommitted, why);
        Assert.False(world.State.TryApply(Block.Create(1, Digest.Zero, [commit]), true, out why));
        Assert.Equal(Rejection.NotAsCommitted, why);
        Assert.False(world.State.TryApply(Block.Create(1, world.State.Tip, [world.Sign(0, world.Reveal(0))]), true, out why));
        Assert.Equal(Rejection.OutOfTurn, why);
        Assert.True(world.State.TryApply(Block.Create(1, world.State.Tip, [commit]), true, out _));
    }

    private static void Twice(World world, int uid, Operation operation, Operation other)
    {
        world.Must(uid, operation);
        Assert.Equal(Rejection.AlreadyThere, world.Check(uid, operation));
        Assert.Equal(Rejection.Equivocation, world.Check(uid, other));
    }
}
