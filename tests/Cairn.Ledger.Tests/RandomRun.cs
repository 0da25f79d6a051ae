using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>A whole run with absent, late and lying members, drawn from a seed.</summary>
internal sealed class RandomRun
{
    private readonly long[] _trained;
    private SeededRandom _random;
    private int _closed;

    public RandomRun(ulong seed, int applyDelay)
    {
        _random = new SeededRandom(seed, "world");
        var (peers, validators) = (1 + _random.NextBelow(5), 1 + _random.NextBelow(3));
        var bonds = new long[validators];
        for (var i = 0; i < validators; i++)
        {
            bonds[i] = 1 + _random.NextBelow(10);
        }

        var sampleCount = 32 + _random.NextBelow(30);
        World = new World(peers, validators, rules => rules with { Rounds = 20, SampleCount = sampleCount, SettleEvery = 4, PeersMax = 5, ApplyDelay = applyDelay }, bonds);
        _trained = new long[sampleCount];
    }

    public World World { get; }

    public int Empty { get; private set; }

    public int Refused { get; private set; }

    private LedgerState State => World.State;

    public void Play()
    {
        for (var step = 0; State.Stage != Stage.Finished; step++)
        {
            Assert.True(step < 20_000, "the run stands still");
            var height = State.Height;
            SomebodyActs();
            if (State.Height != height)
            {
                CheckRound();
            }
        }
    }

    private void SomebodyActs()
    {
        if (_random.NextBelow(60) == 0 && State.Members.Count < 9)
        {
            World.NewKey();
            World.Must(State.Members.Count, new Register(Role.Peer, $"late-{State.Members.Count}", Digest.Zero));
            return;
        }

        var uid = _random.NextBelow(State.Members.Count);
        var member = State.Members[uid];

        // Some members sleep through whole rounds; validators time them out now and then.
        if (Asleep(uid))
        {
            return;
        }

        if (!member.Active && _random.NextBelow(3) == 0)
        {
            Try(uid, new Return(State.CurrentRound));
        }

        Try(uid, member.Role == Role.Peer ? PeerActs(uid) : ValidatorActs(uid));
    }

    private bool Asleep(int uid)
    {
        var random = new SeededRandom(9, "sleep", uid, State.CurrentRound.Number / 3, State.Members.Count);
        return random.NextBelow(4) == 0 && (State.Members[uid].Role == Role.Peer || _random.NextBelow(4) != 0);
    }

    private Operation PeerActs(int uid) => _random.NextBelow(12) switch
    {
        0 => World.Base(_random.NextBelow(2)),
        1 => new Commit(State.CurrentRound, World.Named("lie", _random.NextBelow(100))),
        2 => new Commit(new Round(Math.Max(0, State.CurrentRound.Number + 1 - _random.NextBelow(3))), Digest.Zero),
        _ => State.Stage switch { Stage.Commit => World.Commit(uid), Stage.Reveal => World.Reveal(uid), _ => World.Base() },
    };

    private Operation ValidatorActs(int uid)
    {
        if (_random.NextBelow(6) == 0)
        {
            return World.Timeout();
        }

        return State.Stage switch
        {
            Stage.Reveal => World.Beacon(uid),
            Stage.Judge => World.Verdict([.. State.Roster.Select(entry => entry.Uid.Value).Where(_ => _random.NextBelow(3) == 0)]),
            Stage.Settle => World.Share(World.Named("checkpoint", State.CurrentRound.Number), (State.Roster[0].Uid.Value, Shares.One)),
            _ => World.Base(),
        };
    }

    private void Try(int uid, Operation operation)
    {
        var before = State.StateDigest();
        var why = World.Say(uid, operation);
        Refused += why == Rejection.None ? 0 : 1;
        Assert.Equal(why == Rejection.None, before != State.StateDigest());
        if (why == Rejection.None && operation is not (Register or Timeout or Return) && State.CurrentRound == RoundOf(operation))
        {
            Assert.Equal(Rejection.AlreadyThere, World.Check(uid, operation));
        }
    }

    private static Round RoundOf(Operation operation) => operation switch
    {
        Commit commit => commit.Round,
        Reveal reveal => reveal.Round,
        Beacon beacon => beacon.Round,
        Verdict verdict => verdict.Round,
        PostBase posted => posted.Round,
        PostShares posted => posted.Round,
        _ => default,
    };

    private void CheckRound()
    {
        Assert.Equal(State.Roster.OrderBy(entry => entry.Uid), State.Roster);
        Assert.True(State.Roster.Count <= World.Rules.PeersMax);
        var issued = State.Roster.SelectMany(entry => State.SamplesOf(entry.Uid)).ToArray();
        Assert.Equal(State.Roster.Count * World.Rules.SamplesPerPeer, issued.Distinct().Count());
        if (State.ManifestOf(new Round(_closed)) is not { } manifest)
        {
            return;
        }

        // A closed round is seen before the next one opens: apply and settle come between.
        Assert.Equal(State.CurrentRound, manifest.Round);
        foreach (var entry in manifest.Entries)
        {
            Assert.True(entry.Weight > 0);
            foreach (var id in State.SamplesOf(entry.Uid))
            {
                _trained[id]++;
            }
        }

        _closed++;
        Empty += manifest.Empty ? 1 : 0;
        Assert.Equal(State.SamplesTrained, _trained.Sum());
        Assert.InRange(_trained.Max() - _trained.Min(), 0, 1 + State.SamplesIssued - State.SamplesTrained);
        Assert.Equal(_closed - Empty, State.StepsDone);
    }
}
