using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class MembershipTests
{
    [Fact]
    public void Genesis_members_get_uids_in_order_and_later_ones_follow()
    {
        var world = new World(peers: 2, validators: 1);
        world.NewKey();
        world.Must(3, new Register(Role.Peer, "later", Digest.Zero));
        Assert.Equal(["peer-0", "peer-1", "validator-0", "later"], world.State.Members.Select(member => member.Name));
        Assert.Equal([0, 1, 2, 3], world.State.Members.Select(member => member.Uid.Value));
        Assert.Equal(3, world.State.Find(world.Key(3).Public)!.Uid.Value);
        Assert.Null(world.State.Find(NodeKeys.Stranger));
    }

    [Fact]
    public void Who_registers_is_in_the_next_roster_as_a_newcomer_unless_a_bond_waits_for_it()
    {
        using var rich = NodeKey.Create();
        var world = new World(peers: 1, allocations: new Allocation(rich.Public, 500));
        world.NewKey();
        world.Must(2, new Register(Role.Peer, "poor", Digest.Zero));
        var signed = SignedOperation.Sign(rich, world.Genesis.Digest, new Register(Role.Peer, "rich", Digest.Zero));
        world.State.Apply(Block.Create(world.State.Height + 1, world.State.Tip, [signed]));
        Assert.Equal([0], world.Peers);
        world.Round();
        Assert.Equal([new RosterEntry(new Uid(0), false), new RosterEntry(new Uid(2), true), new RosterEntry(new Uid(3), false)], world.State.Roster);
        Assert.Equal(500, world.State.Members[3].Bond);
    }

    [Fact]
    public void Registering_twice_is_harmless_and_differently_is_equivocation()
    {
        var world = new World(peers: 1);
        Assert.Equal(Rejection.AlreadyThere, world.Check(0, new Register(Role.Peer, "peer-0", Digest.Zero)));
        Assert.Equal(Rejection.Equivocation, world.Check(0, new Register(Role.Peer, "other", Digest.Zero)));
        world.Round();

        // The tip has moved since, but the statement is still the same.
        Assert.Equal(Rejection.AlreadyThere, world.Check(1, new Register(Role.Validator, "validator-0", World.TipOf(1))));
    }

    [Fact]
    public void A_member_says_where_its_objects_are_once_a_round()
    {
        var world = new World(peers: 2);
        world.Must(0, new Announce(world.State.CurrentRound, "s3://one"));
        Assert.Equal(("s3://one", ""), (world.State.Members[0].Place, world.State.Members[1].Place));
        Assert.Equal(1, world.State.Announcements);
        Assert.Equal(Rejection.AlreadyThere, world.Check(0, new Announce(world.State.CurrentRound, "s3://one")));
        Assert.Equal(Rejection.OutOfTurn, world.Check(0, new Announce(world.State.CurrentRound, "s3://two")));
        world.Must(2, new Announce(world.State.CurrentRound, "s3://validator"));

        var old = world.State.CurrentRound;
        var before = world.State.StateDigest();
        world.Round();
        Assert.Equal(Rejection.Late, world.Check(0, new Announce(old, "s3://two")));
        Assert.Equal(Rejection.OutOfTurn, world.Check(0, new Announce(world.State.CurrentRound.Next, "s3://two")));
        world.Must(0, new Announce(world.State.CurrentRound, "s3://two"));
        Assert.Equal("s3://two", world.State.Members[0].Place);
        Assert.NotEqual(before, world.State.StateDigest());
        Assert.Equal(Rejection.NotEntitled, world.State.Check(SignedOperation.Sign(NodeKey.Create(), world.Genesis.Digest, new Announce(world.State.CurrentRound, "s3://x"))));
    }

    [Fact]
    public void A_slow_peer_declares_fewer_samples_within_bounds_and_is_given_that_many_from_the_next_round_on()
    {
        var world = new World(peers: 3, change: rules => rules with { SamplesPerPeer = 8, SamplesMin = 2, SamplesPerStep = 2 });
        Assert.Equal(Rejection.WrongSamples, world.Check(1, new Declare(world.State.CurrentRound, 5)));
        Assert.Equal(Rejection.WrongSamples, world.Check(1, new Declare(world.State.CurrentRound, 10)));
        Assert.Equal(Rejection.AlreadyThere, world.Check(1, new Declare(world.State.CurrentRound, 8)));
        Assert.Equal(Rejection.NotEntitled, world.Check(3, new Declare(world.State.CurrentRound, 4)));
        world.Must(1, new Declare(world.State.CurrentRound, 2));
        Assert.Equal(Rejection.OutOfTurn, world.Check(1, new Declare(world.State.CurrentRound, 4)));
        Assert.Equal([8, 8, 8], Counts());
        world.Round();
        Assert.Equal([8, 2, 8], Counts());
        Assert.Equal(18, world.Peers.SelectMany(uid => world.State.SamplesOf(new Uid(uid))).Distinct().Count());
        world.CommitAll();
        foreach (var uid in world.Peers.ToArray())
        {
            world.Must(uid, world.Reveal(uid));
        }

        // Nobody can vouch for more than it was given.
        world.Must(3, world.Beacon(3));
        var verdict = world.Verdict();
        Assert.Equal(Rejection.WrongSamples, world.Check(3, verdict with { Entries = [verdict.Entries[0], verdict.Entries[1] with { Samples = 4 }, verdict.Entries[2]] }));

        IEnumerable<int> Counts() => world.Peers.Select(uid => world.State.SamplesOf(new Uid(uid)).Count);
    }

    [Fact]
    public void No_sample_is_lost_or_trained_twice_when_peers_of_different_speed_come_and_are_refused()
    {
        var world = new World(peers: 3, change: rules => rules with { SamplesPerPeer = 8, SamplesMin = 2, SamplesPerStep = 2, SettleEvery = 50 });
        var trained = new Dictionary<long, int>();
        for (var round = 0; round < 8; round++)
        {
            var declared = 2 + (2 * (round % 4));
            if (world.Check(round % 3, new Declare(world.State.CurrentRound, declared)) == Rejection.None)
            {
                world.Must(round % 3, new Declare(world.State.CurrentRound, declared));
            }

            int[] refused = round % 2 == 0 ? [(round / 2) % 3] : [];
            foreach (var uid in world.Peers.Except(refused))
            {
                foreach (var id in world.State.SamplesOf(new Uid(uid)))
                {
                    trained[id] = trained.GetValueOrDefault(id) + 1;
                }
            }

            world.Round(refused);
        }

        Assert.Equal(world.State.SamplesTrained, trained.Values.Sum());
        var inWork = world.Peers.Sum(uid => world.State.SamplesOf(new Uid(uid)).Count);
        Assert.Equal(world.State.SampleCursor, trained.Values.Sum() + world.State.WaitingSamples.Count + inWork);
    }

    [Fact]
    public void Whom_a_stage_waits_for_is_who_has_not_acted_in_it()
    {
        var world = new World(peers: 2, validators: 1);
        Assert.Equal([0, 1], Awaited());
        world.Must(1, world.Commit(1));
        Assert.Equal([0], Awaited());
        world.Must(0, world.Commit(0));
        Assert.Equal([0, 1], Awaited());
        world.Must(0, world.Reveal(0));
        Assert.Equal([1], Awaited());
        world.Must(1, world.Reveal(1));
        // Validators reveal last.
        Assert.Equal([2], Awaited());
        world.Must(2, world.Beacon(2));
        Assert.Equal([2], Awaited());
        world.Must(2, world.Verdict());
        Assert.Equal([0, 1, 2], Awaited());
        world.Must(0, world.Base());
        world.Must(2, world.Base());
        Assert.Equal([1], Awaited());

        IEnumerable<int> Awaited() => world.State.Awaited().Select(uid => uid.Value);
    }

    [Fact]
    public void A_validator_without_bond_has_no_voice_and_nobody_waits_for_it()
    {
        var world = new World(peers: 1);
        world.NewKey();
        world.Must(2, new Register(Role.Validator, "loud", World.TipOf(2)));
        world.CommitAll();
        Assert.Equal(Rejection.NotEntitled, world.Check(2, world.Beacon(2)));
        world.Must(0, world.Reveal(0));
        world.Must(1, world.Beacon(1));
        Assert.Equal(Rejection.NotEntitled, world.Check(2, world.Verdict()));
        Assert.Equal(Rejection.NotEntitled, world.Check(2, world.Timeout()));
        world.Must(1, world.Verdict());
        world.Must(0, world.Base());
        world.Must(1, world.Base());
        Assert.Equal(new Round(1), world.State.CurrentRound);
    }

    [Fact]
    public void A_validator_that_joins_votes_from_the_next_round_on()
    {
        using var late = NodeKey.Create();
        var world = new World(peers: 1, allocations: new Allocation(late.Public, 10));
        world.State.Apply(Block.Create(1, world.State.Tip, [SignedOperation.Sign(late, world.Genesis.Digest, new Register(Role.Validator, "late", World.TipOf(2)))]));
        Assert.Equal(Rejection.NotEntitled, world.State.Check(SignedOperation.Sign(late, world.Genesis.Digest, world.Timeout())));
        world.CommitAll();
        world.Must(0, world.Reveal(0));
        world.Must(1, world.Beacon(1));
        world.Must(1, world.Verdict());
        world.Must(0, world.Base());
        world.Must(1, world.Base());
        Assert.Equal(new Round(1), world.State.CurrentRound);
        Assert.Equal(Rejection.None, world.State.Check(SignedOperation.Sign(late, world.Genesis.Digest, world.Timeout())));
        world.Must(1, world.Timeout());
        Assert.Equal(Stage.Commit, world.State.Stage);
    }

    [Fact]
    public void A_peer_absent_too_long_leaves_the_roster_until_it_returns()
    {
        var world = new World(peers: 2);
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal([0, 1], world.Peers);
            RoundWithout(world, 1);
        }

        Assert.Equal([0], world.Peers);
        Assert.False(world.State.Members[1].Active);
        Assert.Equal(Rejection.NotEntitled, world.Check(1, world.Commit(1)));
        Assert.Equal(Rejection.Late, world.Check(1, new Return(new Round(2))));
        world.Must(1, new Return(world.State.CurrentRound));
        Assert.Equal(Rejection.AlreadyThere, world.Check(1, new Return(world.State.CurrentRound)));
        Assert.Equal([0], world.Peers);
        world.Round();
        Assert.Equal([0, 1], world.Peers);
        Assert.Equal(0, world.State.Members[1].AbsentRounds);
    }

    [Fact]
    public void One_round_of_work_forgives_earlier_absence()
    {
        var world = new World(peers: 2);
        RoundWithout(world, 1);
        RoundWithout(world, 1);
        Assert.Equal(2, world.State.Members[1].AbsentRounds);
        world.Round();
        Assert.Equal(0, world.State.Members[1].AbsentRounds);
    }

    [Fact]
    public void To_commit_and_never_open_is_absence_too()
    {
        var world = new World(peers: 2);
        world.CommitAll();
        world.Must(0, world.Reveal(0));
        world.Must(2, world.Beacon(2));
        world.Must(2, world.Timeout());
        world.JudgeAll();
        world.PostAllBases();
        Assert.Equal([0, 1, 0], world.State.Members.Select(member => member.AbsentRounds));
    }

    [Fact]
    public void An_empty_roster_waits_until_somebody_comes()
    {
        var world = new World(peers: 1);
        for (var round = 0; round < 3; round++)
        {
            for (var stage = 0; stage < 4; stage++)
            {
                if (world.State.Stage == Stage.Reveal)
                {
                    world.Must(1, world.Beacon(1));
                }
                else
                {
                    world.Must(1, world.Timeout());
                }
            }
        }

        Assert.Empty(world.State.Roster);
        Assert.Equal((new Round(3), Stage.Commit), (world.State.CurrentRound, world.State.Stage));
        Assert.Equal(Rejection.OutOfTurn, world.Check(1, world.Timeout()));
        world.Must(0, new Return(new Round(3)));
        Assert.Equal([0], world.Peers);
        Assert.Equal(4, world.State.SamplesOf(new Uid(0)).Count);
        world.Round();
        Assert.Equal(1, world.State.StepsDone);
    }

    [Fact]
    public void A_run_without_peers_begins_with_the_first_that_registers()
    {
        var world = new World(peers: 0);
        Assert.Empty(world.State.Roster);
        world.NewKey();
        world.Must(1, new Register(Role.Peer, "first", Digest.Zero));
        Assert.Equal([new RosterEntry(new Uid(1), true)], world.State.Roster);
        Assert.Equal(4, world.State.SamplesIssued);
    }

    [Fact]
    public void A_dead_validator_without_a_majority_behind_it_is_no_longer_waited_for()
    {
        var world = new World(peers: 1, validators: 3, validatorBonds: [4, 3, 3]);
        for (var round = 0; round < 3; round++)
        {
            RoundWithout(world, 3);
        }

        Assert.False(world.State.Members[3].Active);
        world.Must(0, world.Commit(0));
        world.Must(0, world.Reveal(0));
        world.Must(1, world.Beacon(1));
        world.Must(2, world.Beacon(2));
        Assert.Equal(Stage.Judge, world.State.Stage);

        // Its word still counts if it speaks in time.
        Assert.Equal(Rejection.None, world.Check(3, world.Verdict()));
        world.Must(3, new Return(world.State.CurrentRound));
        Assert.True(world.State.Members[3].Active);
    }

    [Fact]
    public void With_more_peers_than_seats_the_beacon_draws_and_bond_goes_first()
    {
        var world = new World(peers: 6, change: rules => rules with { PeersMax = 4 });
        for (var i = 0; i < 5; i++)
        {
            world.NewKey();
            world.Must(7 + i, new Register(Role.Peer, $"new-{i}", Digest.Zero));
        }

        var drawn = new HashSet<int>();
        for (var round = 0; round < 12; round++)
        {
            world.Round();
            if (world.State.Stage == Stage.Settle)
            {
                world.SettleAll();
            }

            Assert.Equal(4, world.State.Roster.Count);
            Assert.Single(world.State.Roster, entry => entry.Newcomer);
            Assert.Equal(world.Peers.Order(), world.Peers);
            drawn.UnionWith(world.Peers);
        }

        Assert.True(drawn.Count >= 9);
        Assert.All(world.State.Members, member => Assert.Equal(0, member.AbsentRounds));
    }

    [Fact]
    public void A_genesis_names_all_its_faults_at_once()
    {
        var good = new World().Genesis;
        var twice = good.Members[0] with { Name = "Bad Name", Bond = -1 };
        var bad = good with { Members = [good.Members[0], twice], Rules = good.Rules with { SampleCount = 31, Rounds = 0 } };
        var message = Assert.Throws<InputException>(() => LedgerState.FromGenesis(bad)).Message;
        Assert.Contains("rounds is 0", message);
        Assert.Contains("bad name", message);
        Assert.Contains("bond of -1", message);
        Assert.Contains("a key that stands there already", message);
        Assert.Contains("no validator", message);
        var small = good with { Rules = good.Rules with { SampleCount = 31 } };
        Assert.Contains("need 32 different ones", Assert.Throws<InputException>(() => LedgerState.FromGenesis(small)).Message);
    }

    [Fact]
    public void Rules_by_which_a_round_takes_more_samples_than_can_be_counted_are_refused()
    {
        var good = new World().Genesis;
        var vast = good with { Rules = good.Rules with { SampleCount = 1L << 40, SamplesPerPeer = 1 << 30 } };
        Assert.Contains("must be at most 16777216", Assert.Throws<InputException>(() => LedgerState.FromGenesis(vast)).Message);
        var most = good.Rules with { SampleCount = 1L << 40, SamplesPerPeer = LedgerRules.SamplesLimit / good.Rules.PeersMax };
        Assert.Empty(most.Faults());
        Assert.Single((most with { PeersMax = most.PeersMax + 1 }).Faults());
    }

    private static void RoundWithout(World world, int absent)
    {
        var voices = world.Validators.Where(uid => uid != absent).ToArray();
        Act(world.Peers.Where(uid => uid != absent).ToArray(), world.Commit, Stage.Commit);
        Act(world.Peers.Where(uid => uid != absent).ToArray(), world.Reveal, null);
        Act(voices, world.Beacon, Stage.Reveal);
        var verdict = world.Verdict();
        Act(voices, _ => verdict, Stage.Judge);
        var posted = world.Base();
        Act([.. world.Peers.Where(uid => uid != absent), .. voices], _ => posted, Stage.Apply);

        void Act(int[] uids, Func<int, Operation> operation, Stage? end)
        {
            foreach (var uid in uids)
            {
                world.Must(uid, operation(uid));
            }

            foreach (var uid in voices.Where(_ => end == world.State.Stage).ToArray())
            {
                if (end == world.State.Stage)
                {
                    world.Must(uid, world.Timeout());
                }
            }
        }
    }
}

internal static class NodeKeys
{
    public static PublicKey Stranger { get; } = new(new byte[PublicKey.Size]);
}
