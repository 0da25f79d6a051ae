using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>The genesis of a scenario. Keys are digests that nobody can sign with: the simulation verifies no signature.</summary>
internal static class Founding
{
    public static readonly Digest InitialBase = Digest.Of("simulation/initial", []);

    public static Genesis Of(Scenario scenario)
    {
        var members = new List<GenesisMember>();
        foreach (var (trait, role) in scenario.Peers.Select(t => (t, Role.Peer)).Concat(scenario.Validators.Select(t => (t, Role.Validator))))
        {
            members.Add(Member(scenario, role, members.Count, trait));
        }

        return new Genesis
        {
            RulesDigest = Digest.Of("simulation/rules", []),
            InitialBase = InitialBase,
            Members = members,
            Rules = new LedgerRules
            {
                Seed = scenario.Seed,
                Rounds = scenario.Rounds,
                PeersMax = scenario.PeersMax,
                SampleCount = scenario.SampleCount,
                SamplesPerPeer = scenario.SamplesPerPeer,
                SettleEvery = scenario.SettleEvery,
                AbsentRoundsMax = scenario.AbsentRoundsMax,
            },
        };
    }

    /// <summary>What a validator reveals next.</summary>
    public static Beacon BeaconOf(LedgerState ledger, Uid uid)
    {
        Invariant.Check(BeaconChain.TryPreimage(ChainSecret(uid), ChainLength(ledger.Rules.Rounds), ledger.Members[uid.Value].ChainTip, out var preimage));
        return new Beacon(ledger.CurrentRound, preimage);
    }

    public static PublicKey KeyOf(int uid)
    {
        var half = Digest.Of("simulation/key", [(byte)uid]).ToArray();
        return new PublicKey([.. half, .. half]);
    }

    private static Digest ChainSecret(Uid uid) => Digest.Of("simulation/chain", [(byte)uid.Value]);

    private static int ChainLength(int rounds) => rounds + 1;

    private static GenesisMember Member(Scenario scenario, Role role, int uid, Trait trait) => role == Role.Peer
        ? new GenesisMember(role, $"peer-{uid}", KeyOf(uid), trait.Newcomer ? 0 : 100, Digest.Zero)
        : new GenesisMember(
            role, $"validator-{uid - scenario.Peers.Count}", KeyOf(uid), 10, BeaconChain.Tip(ChainSecret(new Uid(uid)), ChainLength(scenario.Rounds)));
}
