using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>A whole run with absent, late and lying members, drawn from a seed.</summary>
internal sealed class RandomRun
{
    private readonly long[] _trained;
    private readonly Action<LedgerState>? _watch;
    private readonly bool _changesRules;
    private SeededRandom _random;
    private int _closed;

    /// <summary>Draws a run.</summary>
    /// <param name="seed">From which it follows.</param>
    /// <param name="applyDelay">The rule of that name.</param>
    /// <param name="watch">Told after every operation that stands. Given, members also contradict themselves, are voted at fault, stop the run and leave it.</param>
    /// <param name="change">Of the rules.</param>
    /// <param name="bond">What a unit of everybody's bond is.</param>
    /// <param name="changesRules">True to have validators vote for other rules.</param>
    public RandomRun(
        ulong seed, int applyDelay, Action<LedgerState>? watch = null, Func<LedgerRules, LedgerRules>? change = null, long bond = 1, bool changesRules = false)
    {
        _changesRules = changesRules;
        _watch = watch;
        _random = new SeededRandom(seed, "world");
        var (peers, validators) = (1 + _random.NextBelow(5), 1 + _random.NextBelow(3));
        var bonds = new long[validators];
        for (var i = 0; i < validators; i++)
        {
            bonds[i] = bond * (1 + _random.NextBelow(10));
        }

        var sampleCount = 32 + _random.NextBelow(30);
        LedgerRules Rules(LedgerRules rules) => (change ?? (same => same))(
            rules with { Rounds = 20, SampleCount = sampleCount, SettleEvery = 4, PeersMax = 5, ApplyDelay = applyDelay });
        World = new World(peers, validators, Rules, bonds, 100 * bond);
        _trained = new long[World.Rules.SampleCount];
    }

    public World World { get; }

    public int Empty { get; private set; }

    public int Refused { get; private set; }

    /// <summary>How often each sample was trained.</summary>
    public IReadOnlyList<long> Trained => _trained;

    private LedgerState State => World.State;

    /// <summary>Plays to the end.</summary>
    /// <param name="stepsMax">Or for so many steps: where members may leave and be cut, nobody may be left who can go on.</param>
    public void Play(int? stepsMax = null)
    {
        for (var step = 0; State.Stage != Stage.Finished && step != stepsMax; step++)
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

        if (_changesRules && _random.NextBelow(10) == 0)
        {
            Try(_random.NextBelow(State.Members.Count), VoteForRules());
            return;
        }

        if (_watch is not null && _random.NextBelow(12) == 0)
        {
            Misbehave(_random.NextBelow(State.Members.Count), _random.NextBelow(State.Members.Count));
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

    private void Misbehave(int uid, int other)
    {
        var round = State.CurrentRound;
        Try(uid, _random.NextBelow(11) switch
        {
            0 when _random.NextBelow(8) == 0 => new Exit(round),
            1 => new VoteSlash(round, new Uid(other), Rejection.Equivocation, World.Named("evidence", _random.NextBelow(3))),
            2 or 3 => Contradiction.Between(World.Sign(other, World.Base()), World.Sign(other, World.Base(1 + _random.NextBelow(3))))!,
            4 => Contradiction.Between(World.Sign(other, World.Commit(other)), World.Sign(other, new Commit(round, World.Named("lie", _random.NextBelow(3)))))!,
            5 or 6 or 7 => VoteForRules(),
            _ => new VotePause(round, _random.NextBelow(4) == 0),
        });
    }

    // Mostly what somebody stands for already.
    private VoteRules VoteForRules()
    {
        var open = State.RulesProposals();
        return open.Count > 0 && _random.NextBelow(4) > 0 ? new VoteRules(State.CurrentRound, open[0].From, open[0].Changes)
            : new VoteRules(State.CurrentRound, new Round(State.CurrentRound.Number + LedgerState.RulesNoticeRounds + _random.NextBelow(4)), [DrawChange()]);
    }

    private RuleChange DrawChange() => _random.NextBelow(4) switch
    {
        0 => new RuleChange(Rule.RewardPerSettlement, _random.NextBelow(1_000)),
        1 => new RuleChange(Rule.PeerBondMin, 1 + _random.NextBelow(200)),
        2 => new RuleChange(Rule.FaultSlash, _random.NextBelow((int)Shares.One)),
        _ => new RuleChange(Rule.AbsentRoundsMax, 1 + _random.NextBelow(4)),
    };

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
        if (why == Rejection.None)
        {
            _watch?.Invoke(State);
        }

        if (why == Rejection.None && operation is not (Register or Timeout or Return or Exit or Accuse or VoteSlash or VotePause or VoteRules) && State.CurrentRound == RoundOf(operation))
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
        Assert.All(issued, id => Assert.True(State.PartOf(State.CurrentRound).Holds(id)));
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
        foreach (var part in World.Rules.SampleParts())
        {
            var times = _trained.AsSpan((int)part.First, (int)part.Count).ToArray();
            Assert.InRange(times.Max() - times.Min(), 0, 1 + State.SamplesIssued - State.SamplesTrained);
        }

        Assert.Equal(_closed - Empty, State.StepsDone);
    }
}
