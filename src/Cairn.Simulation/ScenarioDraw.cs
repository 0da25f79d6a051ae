using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>Draws a run, its faults and its adversaries from a seed. What is drawn stays within what the protocol promises to live through: a majority of
/// validator bond comes back and is honest, and two peers in three are honest.</summary>
internal sealed class ScenarioDraw
{
    private const int FaultsMin = 3;
    private readonly SimulationOptions _options;
    private readonly MemberPlan[] _peers;
    private readonly MemberPlan[] _validators;
    private readonly HashSet<string> _faults = new(StringComparer.Ordinal);
    private readonly ulong _seed;
    private readonly long _healAt;
    private SeededRandom _random;

    private ScenarioDraw(ulong seed, SimulationOptions options)
    {
        (_seed, _options) = (seed, options);
        (_peers, _validators) = (new MemberPlan[options.Peers], new MemberPlan[options.Validators]);
        Array.Fill(_peers, MemberPlan.Honest);
        Array.Fill(_validators, MemberPlan.Honest);
        _random = new SeededRandom(seed, "topology");
        _healAt = 10_000 + _random.NextBelow(60_000);
    }

    /// <summary>The scenario of a seed.</summary>
    public static Scenario From(ulong seed, SimulationOptions options) => new ScenarioDraw(seed, options).Draw();

    private Scenario Draw()
    {
        var crowded = _options.Peers > 1 && Chance(200);
        var (settleEvery, absent, stageMax) = (1 + Below(4), 1 + Below(3), 8_000 + Below(20_000));
        var oneEpoch = !Chance(200);
        _random = new SeededRandom(_seed, "adversaries");
        DrawAdversaries();
        _random = new SeededRandom(_seed, "trouble");
        DrawFaults();
        _random = new SeededRandom(_seed, "changes");
        DrawChanges();
        var peersMax = crowded ? Math.Max(1, _options.Peers - 1) : _options.Peers;
        _random = new SeededRandom(_seed, "anneal");
        var annealFrom = Changes("anneal", 250) && _options.Rounds > 1 ? 1 + Below(_options.Rounds - 1) : 0;
        var annealSamples = annealFrom > 0 ? SampleCountOf(peersMax, Chance(500)) : 0;
        return new Scenario
        {
            Seed = _seed,
            DelaySeed = _seed,
            Rounds = _options.Rounds,
            SettleEvery = settleEvery,
            // A stream of its own: what else a seed means does not shift.
            ApplyDelay = _options.ApplyDelay ?? new SeededRandom(_seed, "apply-delay").NextBelow(2),
            PeersMax = peersMax,
            SampleCount = SampleCountOf(peersMax, oneEpoch) + annealSamples,
            AnnealSamples = annealSamples,
            AnnealFrom = annealFrom,
            AbsentRoundsMax = absent,
            ProbedPeers = _options.Peers,
            StageMax = stageMax,
            BlockTime = _options.Peers > 64 ? 1_000 : 200,
            HealAt = _faults.Count == 0 ? 0 : _healAt,
            Faults = Plan(),
            Rules = DrawRules(),
            Peers = _peers,
            Validators = _validators,
            RealKeys = _options.RealKeys,
            PrivateReplays = _options.RealKeys || _options.Peers > 64 ? Math.Min(16, _options.Validators) : _seed % 4 == 0 ? 1 : 0,
        };
    }

    // Probes need samples that nobody was given; a second epoch is to be reached in a few rounds.
    private long SampleCountOf(int peersMax, bool oneEpoch)
    {
        var ofRound = (long)peersMax * 64;
        var whole = ofRound * (_options.Rounds + 1);
        return 512 + (oneEpoch && whole <= 1 << 17 ? whole : ofRound * Math.Min(4, _options.Rounds + 1));
    }

    private void DrawAdversaries()
    {
        var known = _options.Adversaries ?? Conducts.Names;
        string[] peers = [.. known.Where(name => Conducts.IsFor(name, Ledger.Role.Peer))];
        string[] validators = [.. known.Where(name => Conducts.IsFor(name, Ledger.Role.Validator))];
        var most = (_options.Peers - 1) / 3;
        var wanted = peers.Length == 0 || most == 0 ? 0 : _options.Adversaries is null ? Below(most + 1) : most;
        for (var taken = 0; taken < wanted;)
        {
            taken += Recruit(peers[Below(peers.Length)], wanted - taken);
        }

        if (validators.Length > 0 && _validators.Length >= 3 && (_options.Adversaries is not null || Chance(300)))
        {
            var bad = _validators.Length - 1;
            _validators[bad] = MemberPlan.Honest with { Conduct = validators[Below(validators.Length)] };
            var cheat = Array.FindIndex(_peers, peer => !peer.IsHonest);
            _validators[bad] = _validators[bad] with { Other = _validators[bad].Conduct == "friend-liar" && cheat >= 0 ? cheat : 0 };
        }
    }

    // Adversaries stand at the end of the list, so that peer 0 is always honest; who needs a friend finds it in front of them.
    private int Recruit(string conduct, int room)
    {
        var last = Array.FindLastIndex(_peers, peer => peer.IsHonest && peer.Other < 0);
        var crowd = conduct switch
        {
            "sybil" => Math.Min(room, 2 + Below(3)),
            "colluder" => Math.Min(room, 1 + Below(4)),
            _ => 1,
        };
        var other = -1;
        if (conduct is "copycat-early" or "copycat-blended" or "colluder")
        {
            other = 1;
            _peers[other] = _peers[other] with { Conduct = "leader" };
        }

        for (var i = 0; i < crowd; i++)
        {
            _peers[last - i] = MemberPlan.Honest with
            {
                Conduct = conduct,
                Other = other,
                Newcomer = conduct == "sybil",
                TurnsAt = 2 + Below(Math.Max(1, _options.Rounds / 2)),
                // Who waits for a friend's update must be slower than the friend; a third of them is not slow enough.
                Slowness = other >= 0 && !Chance(333) ? 2 : 1,
            };
        }

        return crowd;
    }

    private void DrawFaults()
    {
        var known = (_options.Faults ?? Simulation.Faults.Names).Except(Simulation.Faults.Changes).ToList();
        var wanted = Math.Min(known.Count, known.Count == 0 ? 0 : FaultsMin + Below(4));
        for (var i = 0; i < wanted; i++)
        {
            var at = Below(known.Count);
            _faults.Add(known[at]);
            known.RemoveAt(at);
        }

        foreach (var fault in _faults.Order(StringComparer.Ordinal))
        {
            OfMembers(fault);
        }
    }

    // What members say of themselves is no fault, and has a stream of its own: it shifts no other draw.
    private void DrawChanges()
    {
        if (Changes("fewer", 400))
        {
            for (var i = 0; i < _peers.Length; i++)
            {
                var (samples, from, back) = (8 * (2 + Below(7)), Below(_options.Rounds), Below(2 * _options.Rounds));
                _peers[i] = i > 0 && Chance(300) ? _peers[i] with { Samples = samples, DeclaresAt = from, AllAgainAt = back > from ? back : int.MaxValue } : _peers[i];
            }
        }

        if (Changes("move", 300))
        {
            foreach (var plans in new[] { _peers, _validators })
            {
                for (var i = 0; i < plans.Length; i++)
                {
                    plans[i] = plans[i] with { Moves = Chance(500) };
                }
            }
        }
    }

    // Of those that no adversary's claim hangs on.
    private RulesPlan[] DrawRules()
    {
        _random = new SeededRandom(_seed, "rules");
        if (!Changes("rules", 300) || _options.Rounds < 3)
        {
            return [];
        }

        var votedAt = Below(_options.Rounds - 2);
        var from = votedAt + Ledger.LedgerState.RulesNoticeRounds + Below(_options.Rounds - votedAt - Ledger.LedgerState.RulesNoticeRounds);
        string[] known =
        [
            $"rewardPerSettlement={Below(2_000_000_000)}", $"dividendShare={Below(300_000_000)}", $"auditShare={Below(300_000_000)}",
            $"absentRoundsMax={1 + Below(3)}", $"exitDelayRounds={8 + Below(20)}",
        ];
        string[] changes = [.. known.Where(_ => Chance(500))];
        return [new RulesPlan { VotedAt = votedAt, From = from, Changes = changes.Length > 0 ? changes : [known[0]] }];
    }

    private bool Changes(string name, int perMille) => (_options.Faults is null && Chance(perMille)) || (_options.Faults?.Contains(name) ?? false);

    private FaultPlan Plan()
    {
        _random = new SeededRandom(_seed, "rates");
        return new FaultPlan
        {
            KillPerMille = Rate("kill", 30),
            LatePerMille = Rate("late-news", 400),
            TwicePerMille = Rate("duplicate", 200),
            RepeatPerMille = Rate("duplicate", 300),
            FallBackPerMille = Rate("fallback", 400),
            LostPerMille = Rate("lost-object", 300),
            SlowObjectPerMille = Rate("late-object", 400),
            CorruptPerMille = Rate("corrupt", 200),
            TruncatedPerMille = Rate("truncate", 200),
            StallPerMille = Rate("stall", 60),
            ReorgPerMille = Rate("reorg", 400),
        };
    }

    private int Rate(string fault, int most) => Below(most) + 1 is var rate && _faults.Contains(fault) ? rate : 0;

    // Validator 0 and peer 0 are spared what never heals, and of three validators one at most is in trouble that does not pass.
    private void OfMembers(string fault)
    {
        var peer = Below(_peers.Length);
        var validator = _validators.Length >= 3 ? 1 + Below(_validators.Length - 2) : -1;
        switch (fault)
        {
            case "absence":
                var from = Below((int)_healAt);
                _peers[peer] = _peers[peer] with { GoneFrom = from, GoneTo = peer > 0 && Chance(300) ? long.MaxValue : from + Below((int)(_healAt - from) + 1) };
                if (Chance(100))
                {
                    AllAway();
                }

                break;
            case "clock":
                for (var i = 0; i < _validators.Length; i++)
                {
                    _validators[i] = _validators[i] with { ClockPerMille = 500 + Below(1500) };
                }

                break;
            case "diverge":
                _peers[peer] = _peers[peer] with { DivergesPerMille = 300 };
                break;
            case "fallback":
                _faults.Add("kill");
                break;
            case "join" when peer > 1 && _peers[peer].IsHonest:
                _peers[peer] = _peers[peer] with { JoinsAt = 1_000 + Below((int)_healAt) };
                break;
            case "odd-verdict" when validator > 0:
                _validators[validator] = _validators[validator] with { OddPerMille = 100 + Below(300) };
                break;
            case "partition":
                Cut(validator);
                break;
            case "slow":
                _peers[peer] = _peers[peer] with { Slowness = 2 + Below(12) };
                break;
            case "validator-absence" when _validators.Length >= 3:
                // Not the one that may be in trouble for good: another, which comes back.
                var away = Below((int)_healAt);
                _validators[0] = _validators[0] with { GoneFrom = away, GoneTo = away + Below((int)(_healAt - away) + 1), Slowness = 1 + Below(10) };
                break;
            case "validator-loss" when validator > 0 && _validators[^1].IsHonest:
                _validators[validator] = _validators[validator] with { GoneFrom = Below((int)_healAt), GoneTo = long.MaxValue };
                break;
            case "wrong-base":
                MakeWrong(peer, validator);
                break;
        }
    }

    // All peers away at once: nobody is left in the roster, and the run waits.
    private void AllAway()
    {
        for (var i = 0; i < _peers.Length; i++)
        {
            _peers[i] = _peers[i].GoneForGood ? _peers[i] : _peers[i] with { GoneFrom = _healAt / 8, GoneTo = _healAt };
        }
    }

    private void Cut(int validator)
    {
        var from = Below((int)_healAt);
        var to = from + 500 + Below((int)_healAt);
        if (validator > 0)
        {
            _validators[validator] = _validators[validator] with { CutFrom = from, CutTo = to };
        }
        else
        {
            _peers[^1] = _peers[^1] with { CutFrom = from, CutTo = to };
        }
    }

    private void MakeWrong(int peer, int validator)
    {
        var wrong = (Wrong)(1 + Below(3));
        if (validator > 0 && Chance(400) && _validators.All(plan => plan is { GoneFrom: < 0 } && plan.IsHonest))
        {
            _validators[validator] = _validators[validator] with { Wrong = wrong, WrongRound = Below(_options.Rounds) };
        }
        else if (peer > 0)
        {
            _peers[peer] = _peers[peer] with { Wrong = wrong, WrongRound = Below(_options.Rounds) };
        }
    }

    private int Below(int bound) => _random.NextBelow(Math.Max(1, bound));

    private bool Chance(int perMille) => Below(1000) < perMille;
}
