using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>A run in memory with honest members, whom a test lets speak one by one.</summary>
internal sealed class World
{
    private const int ChainLength = 64;
    public static readonly Digest RulesDigest = Digest.Of("test/rules", []);
    private readonly List<NodeKey> _keys = [];

    public World(
        int peers = 3, int validators = 1, Func<LedgerRules, LedgerRules>? change = null, long[]? validatorBonds = null, long peerBond = 100, params Allocation[] allocations)
    {
        var members = new List<GenesisMember>();
        for (var i = 0; i < peers; i++)
        {
            members.Add(new GenesisMember(Role.Peer, $"peer-{i}", NewKey().Public, peerBond, Digest.Zero));
        }

        for (var i = 0; i < validators; i++)
        {
            var key = NewKey();
            members.Add(new GenesisMember(Role.Validator, $"validator-{i}", key.Public, validatorBonds?[i] ?? 10, TipOf(_keys.Count - 1)));
        }

        Rules = new LedgerRules { Seed = 7, Rounds = 50, PeersMax = 8, SampleCount = 100, SamplesPerPeer = 4, SettleEvery = 5 };
        Rules = change?.Invoke(Rules) ?? Rules;
        Genesis = new Genesis { RulesDigest = RulesDigest, Rules = Rules, InitialBase = Named("base", -1), Members = members, Allocations = allocations };
        State = LedgerState.FromGenesis(Genesis);
    }

    public LedgerRules Rules { get; }

    public Genesis Genesis { get; }

    public LedgerState State { get; }

    public List<Block> Blocks { get; } = [];

    public NodeKey Key(int uid) => _keys[uid];

    public NodeKey NewKey()
    {
        _keys.Add(NodeKey.Create());
        return _keys[^1];
    }

    public static Digest Named(string what, long number)
    {
        using var hasher = new Hasher("test/" + what);
        hasher.Append(number);
        return hasher.Finish();
    }

    public static Digest TipOf(int uid) => BeaconChain.Tip(Named("chain", uid), ChainLength);

    public IEnumerable<int> Peers => State.Roster.Select(entry => entry.Uid.Value);

    public IEnumerable<int> Validators => State.Members.Where(member => member.Role == Role.Validator).Select(member => member.Uid.Value);

    public SignedOperation Sign(int uid, Operation operation) => SignedOperation.Sign(_keys[uid], State.Run, operation);

    public Rejection Check(int uid, Operation operation) => State.Check(Sign(uid, operation));

    /// <summary>Appends an operation if the state lets it.</summary>
    public Rejection Say(int uid, Operation operation)
    {
        var signed = Sign(uid, operation);
        var why = State.Check(signed);
        if (why == Rejection.None)
        {
            Blocks.Add(Block.Create(State.Height + 1, State.Tip, [signed]));
            State.Apply(Blocks[^1]);
        }

        return why;
    }

    public void Must(int uid, Operation operation) => Assert.Equal(Rejection.None, Say(uid, operation));

    public Opening Opening(int uid) => new(
        Named("object", (State.CurrentRound.Number * 1000) + uid), 5000 + uid, Named("key", uid),
        Named("base", State.CurrentRound.Number - 1), Named("receipt", uid), Named("trace", uid));

    public Commit Commit(int uid) => new(State.CurrentRound, Opening(uid).Root(new Uid(uid), State.CurrentRound));

    public Reveal Reveal(int uid) => new(State.CurrentRound, Opening(uid));

    public Beacon Beacon(int uid)
    {
        Assert.True(BeaconChain.TryPreimage(Named("chain", uid), ChainLength, State.Members[uid].ChainTip, out var preimage));
        return new Beacon(State.CurrentRound, preimage);
    }

    /// <summary>Accepts every opened update in full, except some.</summary>
    public Verdict Verdict(params int[] refused) => new(State.CurrentRound, [.. State.Roster.Select(entry => Judge(entry.Uid, refused))]);

    public PostBase Base(int seed = 0) => new(State.CurrentRound, Named("base", State.CurrentRound.Number + (seed * 1000)));

    public PostShares Share(Digest checkpoint, params (int Uid, long Share)[] shares) =>
        new(State.CurrentRound, [.. shares.Select(share => new ShareEntry(new Uid(share.Uid), share.Share))], checkpoint);

    public Timeout Timeout() => new(State.CurrentRound, State.Stage);

    public void CommitAll()
    {
        foreach (var uid in Peers.ToArray())
        {
            Must(uid, Commit(uid));
        }
    }

    public void RevealAll() => RevealAllBut();

    /// <summary>Everybody opens and reveals, but some validators.</summary>
    public void RevealAllBut(params int[] silent)
    {
        foreach (var uid in Peers.Where(uid => State.CommitOf(new Uid(uid)) is not null).ToArray())
        {
            Must(uid, Reveal(uid));
        }

        foreach (var uid in Validators.Except(silent).ToArray())
        {
            Must(uid, Beacon(uid));
        }
    }

    public void JudgeAll(params int[] refused)
    {
        var verdict = Verdict(refused);
        foreach (var uid in Validators.ToArray())
        {
            Must(uid, verdict);
        }
    }

    public void PostAllBases()
    {
        var posted = Base();
        foreach (var uid in Peers.Where(uid => State.OpeningOf(new Uid(uid)) is not null).Concat(Validators).ToArray())
        {
            Must(uid, posted);
        }
    }

    public void SettleAll(params (int Uid, long Share)[] shares)
    {
        var posted = Share(Named("checkpoint", State.CurrentRound.Number), shares);
        foreach (var uid in Validators.ToArray())
        {
            Must(uid, posted);
        }
    }

    /// <summary>Lets everybody do its part until the next round, but for the settlement.</summary>
    public void Round(params int[] refused)
    {
        CommitAll();
        RevealAll();
        JudgeAll(refused);
        PostAllBases();
    }

    public LedgerState Replay()
    {
        var state = LedgerState.FromGenesis(Genesis);
        foreach (var block in Blocks)
        {
            state.Apply(block);
        }

        return state;
    }

    private VerdictEntry Judge(Uid uid, int[] refused) =>
        State.OpeningOf(uid) is null ? new VerdictEntry(uid, Rejection.Missing, 0)
        : refused.Contains(uid.Value) ? new VerdictEntry(uid, Rejection.Copied, 0)
        : new VerdictEntry(uid, Rejection.None, State.SamplesOf(uid).Count);
}
