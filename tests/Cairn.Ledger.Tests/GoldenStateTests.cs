using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>A short run with fixed keys: every rule of the state machine leaves its mark in these digests. If one changes, old ledgers replay differently.</summary>
public sealed class GoldenStateTests
{
    private static readonly Digest Secret = World.Named("secret", 1);

    [Fact]
    public void A_scripted_run_has_these_digests()
    {
        var genesis = new Genesis
        {
            RulesDigest = World.Named("rules", 0),
            Rules = new LedgerRules { Seed = 7, Rounds = 3, PeersMax = 4, SampleCount = 20, SamplesPerPeer = 3, SettleEvery = 2 },
            InitialBase = World.Named("base", -1),
            Members =
            [
                new GenesisMember(Role.Peer, "ada", Key(0), 5, Digest.Zero), new GenesisMember(Role.Peer, "bob", Key(1), 5, Digest.Zero),
                new GenesisMember(Role.Validator, "eve", Key(2), 9, BeaconChain.Tip(Secret, 3)),
            ],
        };
        var state = LedgerState.FromGenesis(genesis);
        List<string> digests = [genesis.Digest.Short, state.StateDigest().Short];
        List<string> samples = [Samples(state)];
        Say(state, 3, new Register(Role.Peer, "new", Digest.Zero));
        while (state.Stage != Stage.Finished)
        {
            PlayRound(state);
            digests.Add(state.StateDigest().Short);
            samples.Add(Samples(state));
        }

        digests.AddRange([state.ManifestOf(new Round(2))!.Digest.Short, state.RoundBeacon.Short]);

        // The order of epoch 0 is 11 17 10 2 16 4 8 0 15 5 13 12 9 6 14 18 19 1 3 7, that of epoch 1 begins with 8.
        Assert.Equal(
            ["(0: 11 17 10) (1: 2 16 4)", "(0: 8 0 15) (1: 5 13 12) (3: 2 16 4)", "(0: 3 7 8) (1: 9 6 14) (3: 18 19 1)", "(0: 3 7 8) (1: 9 6 14) (3: 18 19 1)"],
            samples);
        Assert.Equal("b0ad7b2b 20f7195e e27af2a0 ba3135ea 7d843bee f04ac1a8 67fadc18", string.Join(' ', digests));
        Assert.Equal([500_000_000L, 333_333_333L, 166_666_667L], state.ConsensusShares.Select(entry => entry.Share));
    }

    private static void PlayRound(LedgerState state)
    {
        var round = state.CurrentRound;
        var peers = state.Roster.Select(entry => entry.Uid).ToArray();
        foreach (var uid in peers)
        {
            Say(state, uid.Value, new Commit(round, OpeningOf(uid, round).Root(uid, round)));
        }

        foreach (var uid in peers)
        {
            Say(state, uid.Value, new Reveal(round, OpeningOf(uid, round)));
        }

        Assert.True(BeaconChain.TryPreimage(Secret, 3, state.Members[2].ChainTip, out var preimage));
        Say(state, 2, new Beacon(round, preimage));

        // Bob's update is refused in round 0: his samples come again.
        Say(state, 2, new Verdict(round, [.. peers.Select(uid =>
            round.Number == 0 && uid.Value == 1 ? new VerdictEntry(uid, Rejection.Copied, 0) : new VerdictEntry(uid, Rejection.None, 3))]));
        foreach (var uid in peers.Append(new Uid(2)))
        {
            Say(state, uid.Value, new PostBase(round, World.Named("base", round.Number)));
        }

        if (state.Stage == Stage.Settle)
        {
            ShareEntry[] shares = [new(new Uid(0), 500_000_000), new(new Uid(1), 333_333_333), new(new Uid(3), 166_666_667)];
            Say(state, 2, new PostShares(round, shares, World.Named("checkpoint", round.Number)));
        }
    }

    private static Opening OpeningOf(Uid uid, Round round) => new(
        World.Named("object", (round.Number * 10) + uid.Value), 77, World.Named("key", uid.Value), World.Named("base", round.Number - 1), Digest.Zero, Digest.Zero);

    private static string Samples(LedgerState state) =>
        string.Join(' ', state.Roster.Select(entry => $"({entry.Uid}: {string.Join(' ', state.SamplesOf(entry.Uid))})"));

    private static void Say(LedgerState state, int author, Operation operation)
    {
        byte[] bytes = [.. Key(author).Bytes, .. new byte[NodeKey.SignatureSize], .. OperationCodec.ToBytes(operation)];
        Assert.True(SignedOperation.TryRead(bytes, out var signed, out _));
        state.Apply(Block.Create(state.Height + 1, state.Tip, [signed!]), verifySignatures: false);
    }

    private static PublicKey Key(int number) => new([.. World.Named("x", number).ToArray(), .. World.Named("y", number).ToArray()]);
}
