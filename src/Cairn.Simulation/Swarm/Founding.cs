using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>The genesis of a scenario, and the keys of its members: digests that nobody can sign with, or real ones.</summary>
internal sealed class Founding : IDisposable
{
    /// <summary>What an established peer brings; a newcomer's pay is locked until it has as much.</summary>
    public const long PeerBond = 1_000_000_000;

    /// <summary>What a validator brings.</summary>
    public const long ValidatorBond = 10;

    private readonly Scenario _scenario;
    private readonly NodeKey[]? _keys;
    private readonly PublicKey[] _public;
    // Of each validator the whole chain, the secret first: what it reveals is the element before its tip.
    private readonly Digest[][] _chains;
    private readonly Digest _run;
    private long _signatures;

    public Founding(Scenario scenario, Digest initialBase)
    {
        _scenario = scenario;
        _keys = scenario.RealKeys ? [.. Enumerable.Range(0, scenario.MemberCount).Select(_ => NodeKey.Create())] : null;
        _public = [.. Enumerable.Range(0, scenario.MemberCount).Select(i => _keys?[i].Public ?? KeyOf(i))];
        _chains = [.. Enumerable.Range(0, scenario.MemberCount).Select(i => scenario.RoleOf(i) == Role.Validator ? ChainOf(i) : [])];
        Genesis = new Genesis
        {
            RulesDigest = Digest.Of("simulation/rules", []),
            InitialBase = initialBase,
            Members = [.. Enumerable.Range(0, scenario.MemberCount).Where(IsFounder).Select(Member)],
            Allocations = [.. Enumerable.Range(0, scenario.MemberCount).Where(i => !IsFounder(i)).Select(i => new Allocation(_public[i], BondOf(i)))],
            Rules = new LedgerRules
            {
                Seed = scenario.Seed,
                Rounds = scenario.Rounds,
                PeersMax = scenario.PeersMax,
                SampleCount = scenario.SampleCount,
                SamplesPerPeer = scenario.SamplesPerPeer,
                SamplesMin = scenario.SamplesMin,
                SamplesPerStep = scenario.SamplesPerStep,
                SettleEvery = scenario.SettleEvery,
                ApplyDelay = scenario.ApplyDelay,
                AnnealSamples = scenario.AnnealSamples,
                AnnealFrom = scenario.AnnealFrom,
                AbsentRoundsMax = scenario.AbsentRoundsMax,
                PeerBondMin = PeerBond,
            },
        };
        _run = Genesis.Digest;
    }

    public Genesis Genesis { get; }

    /// <summary>A key of the test signer.</summary>
    public static PublicKey KeyOf(int member)
    {
        var half = Digest.Of("simulation/key", BitConverter.GetBytes(member)).ToArray();
        return new PublicKey([.. half, .. half]);
    }

    public PublicKey PublicOf(int member) => _public[member];

    public string NameOf(int member) =>
        member < _scenario.Peers.Count ? $"peer-{member}" : $"validator-{member - _scenario.Peers.Count}";

    public long BondOf(int member) =>
        _scenario.RoleOf(member) == Role.Validator ? ValidatorBond : _scenario.PlanOf(member).Newcomer ? 0 : PeerBond;

    /// <summary>How a member joins.</summary>
    public Register RegistrationOf(int member)
    {
        var role = _scenario.RoleOf(member);
        return new Register(role, NameOf(member), role == Role.Peer ? Digest.Zero : _chains[member][^1]);
    }

    /// <summary>What a validator reveals next.</summary>
    public Beacon BeaconOf(LedgerState ledger, int member)
    {
        var tip = Array.LastIndexOf(_chains[member], ledger.Find(_public[member])!.ChainTip);
        Invariant.Check(tip > 0);
        return new Beacon(ledger.CurrentRound, _chains[member][tip - 1]);
    }

    /// <summary>A signed form whose signature differs each time, as real ones do.</summary>
    public SignedOperation Sign(int member, Operation operation)
    {
        if (_keys is not null)
        {
            return SignedOperation.Sign(_keys[member], _run, operation);
        }

        var signature = new byte[NodeKey.SignatureSize];
        BitConverter.TryWriteBytes(signature, ++_signatures);
        return SignedOperation.Of(_public[member], signature, operation);
    }

    public void Dispose()
    {
        foreach (var key in _keys ?? [])
        {
            key.Dispose();
        }
    }

    private Digest[] ChainOf(int member)
    {
        var chain = new Digest[_scenario.Rounds + 2];
        chain[0] = Digest.Of("simulation/chain", BitConverter.GetBytes(member));
        for (var i = 1; i < chain.Length; i++)
        {
            chain[i] = BeaconChain.Next(chain[i - 1]);
        }

        return chain;
    }

    private bool IsFounder(int member) => _scenario.PlanOf(member).JoinsAt < 0;

    private GenesisMember Member(int member)
    {
        var register = RegistrationOf(member);
        return new GenesisMember(register.Role, register.Name, _public[member], BondOf(member), register.ChainTip);
    }
}
