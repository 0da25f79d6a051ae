using Cairn.Base;
using Cairn.Data;
using Cairn.Gauntlet;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Simulation;

/// <summary>Does what a machine asks for, in virtual time, with a place to die before and after everything.</summary>
internal sealed class SimEffects
{
    private readonly World _world;
    private readonly SimNode _node;
    private readonly Dictionary<Slot, SignedOperation> _outbox = [];
    private readonly ReplicaUse _use = new();
    private (Round Round, PeerBook Book)? _judged;
    private int _openingsMade;
    private (Round Round, Replicated? From) _trained;

    public SimEffects(World world, SimNode node) => (_world, _node) = (world, node);

    /// <summary>Durable: what commits hide.</summary>
    public SortedDictionary<Round, Opening> Openings { get; } = [];

    /// <summary>A new life.</summary>
    public void Reset()
    {
        _use.Clear();
        _judged = null;
        if (_world.Mutation == Mutation.SignsAnew)
        {
            _outbox.Clear();
            Openings.Clear();
        }
    }

    public void NoteDeath(LedgerState view)
    {
        if (_node.Uid is { } uid && view.CommitOf(uid) is not null)
        {
            _world.Reach(
                view.OpeningOf(uid) is null ? Probe.KilledBetweenCommitAndReveal : Probe.KilledBetweenRevealAndApply, _node.Replica.Next == view.CurrentRound);
        }
    }

    public void Begin(Effect effect, LedgerState view)
    {
        if (!_node.Survives(effect, static what => $"before {Words.Of(what)}"))
        {
            return;
        }

        switch (effect)
        {
            case RunInnerSteps train:
                Train(train);
                break;
            case EncodeUpdate encode:
                Work(effect, 10, 100, () => new Encoded(encode.Round, Make(encode.Round)));
                break;
            case PublishUpdate publish:
                Publish(publish);
                break;
            case Submit submit:
                Say(submit.Operation);
                break;
            case SubmitBeacon beacon:
                Invariant.Check(view.CurrentRound == beacon.Round);
                Say(_world.Founding.BeaconOf(view, _node.Member));
                break;
            case ApplyManifest apply:
                Work(effect, 50, 400, () => Apply(apply));
                break;
            case Recompute again:
                Work(effect, 50, 400, () => new Recomputed(again.Round, _node.Replica.Recompute(again.Round, held => _world.After(held, again.Manifest))));
                break;
            case CatchUp back:
                Work(effect, 50, 400, () =>
                {
                    _node.Replica.GoBack(back.Round);
                    return new WentBack(back.Round);
                });
                break;
            case JudgeUpdates judge:
                Judge(judge, RoundView.Of(_world, view));
                break;
            case PrepareSettlement settle:
                Work(effect, 50, 800, () => Settle(settle.Round));
                break;
            case Evaluate:
                break;
            default:
                throw new InvariantViolation($"no host does {effect.GetType().Name}");
        }
    }

    /// <summary>After everything new was read: where its objects are, and how much it does, are said anew as long as the ledger shows something else.</summary>
    public void CaughtUp(LedgerState view)
    {
        if (_world.Scenario.Rules.Count > 0)
        {
            VoteOnRules(view);
        }
        var plan = _node.Plan;
        if ((!plan.Moves && plan.Samples == 0) || view.Stage == Stage.Finished || view.Find(_node.Key) is not { HasLeft: false } me)
        {
            return;
        }

        var (round, place) = (view.CurrentRound, view.CurrentRound.Number * 2 < _world.Scenario.Rounds ? $"{_node.Name}/first" : $"{_node.Name}/second");
        if (plan.Moves && me.Place != place && me.AnnouncedInRound != round.Number && !_outbox.ContainsKey(Slot.Of(new Announce(round, place))))
        {
            Say(new Announce(round, place));
        }

        var samples = plan.SamplesIn(round) is > 0 and var fewer ? fewer : _world.Scenario.SamplesPerPeer;
        if (_node.Alive && _node.Role == Role.Peer && plan.Samples > 0 && samples != view.SamplesToCome(me)
            && me.DeclaredInRound != round.Number && !_outbox.ContainsKey(Slot.Of(new Declare(round, samples))))
        {
            Say(new Declare(round, samples));
        }
    }

    // What the validators have agreed on outside, each says as soon as it may, and again until it stands.
    private void VoteOnRules(LedgerState view)
    {
        if (!_node.Alive || view.Stage == Stage.Finished || _node.Role != Role.Validator || view.Find(_node.Key) is not { } me || !view.Votes(me.Uid))
        {
            return;
        }

        var round = view.CurrentRound;
        var due = _world.Scenario.Rules.FirstOrDefault(plan =>
            plan.VotedAt <= round.Number && round.Number + LedgerState.RulesNoticeRounds <= plan.From && plan.From > view.RulesVersions[^1].From.Number);
        if (due?.VoteIn(round) is { } vote && !_outbox.ContainsKey(Slot.Of(vote))
            && !view.RulesProposals().Any(one => one.Digest == vote.Proposal && one.Voters.Contains(me.Uid)))
        {
            Say(vote);
        }
    }

    /// <summary>Rule 4: signed, durable, and only then sent; what an earlier life signed for the slot is sent again.</summary>
    public void Say(Operation operation)
    {
        if (!_node.Conduct.Says(operation, _node, _world))
        {
            return;
        }

        var slot = Slot.Of(operation);
        if (!_outbox.TryGetValue(slot, out var signed))
        {
            signed = _world.Founding.Sign(_node.Member, operation);
            _outbox.Add(slot, signed);
        }
        else if (_node.Plan is { Wrong: Wrong.Never, IsHonest: true } && operation is not (Verdict or PostShares))
        {
            // A verdict that is made again may see more than the first; what was signed first is what is sent.
            var kept = signed;
            Must.Hold(
                OperationCodec.ToBytes(operation).AsSpan().SequenceEqual(kept.Content), "one statement a slot",
                $"{_node.Name} wants to say something else in a slot it has filled: {Words.Slot(operation)}");
        }

        var life = _node.Life;
        if (!_node.Survives(operation, static what => $"between signing and sending the {Words.Slot(what)}"))
        {
            _world.Reach(Probe.KilledBetweenSigningAndSending);
            return;
        }

        var onItsWay = !_world.Faulty || _world.Chance(500);
        Send(signed, life, onItsWay);
        if (_world.Faulty && _world.Strikes(_world.Scenario.Faults.RepeatPerMille))
        {
            Send(signed, life, onItsWay);
        }

        if (_node.Conduct.SaysToo(operation) is { } other)
        {
            Send(_world.Founding.Sign(_node.Member, other), life, onItsWay);
        }
    }

    private void Send(SignedOperation signed, int life, bool onItsWay) => _world.Heap.After(_world.Delay(0, 200), () =>
    {
        if (_node.CutOff)
        {
            // The host keeps trying; the statement arrives once the line is back.
            _world.Heap.After(500, () => Send(signed, life, onItsWay));
        }
        else if (onItsWay || (_node.Alive && _node.Life == life))
        {
            _world.Ledger.Receive(signed, _node);
        }
    });

    // Takes time; then what it did is durable; then, if the node lives, the machine hears of it. Null: not yet, try again.
    private void Work(Effect effect, int min, int max, Func<NodeEvent?> finish)
    {
        _use.Begin(effect, _node);
        Await(effect, _node.Life, _world.Delay(min, max) * _node.Plan.Slowness, finish);
    }

    private void Await(Effect effect, int life, long delay, Func<NodeEvent?> finish) => _world.Heap.After(delay, () =>
    {
        if (!_node.Alive || _node.Life != life)
        {
            return;
        }

        if (finish() is not { } happened)
        {
            Await(effect, life, 500, finish);
            return;
        }

        _use.End(effect);
        if (_node.Survives(effect, static what => $"after {Words.Of(what)}"))
        {
            _node.Tell(happened, life);
        }
    });

    private void Train(RunInnerSteps train)
    {
        var ahead = train.Round.Number - _node.Replica.Next.Number;
        Must.Hold(
            ahead >= 0 && ahead <= _world.Scenario.ApplyDelay, "round order", $"{_node.Name} trains round {train.Round} and stands at {_node.Replica.Next}");
        _world.Reach(Probe.TrainedAgainAfterRestart, Openings.ContainsKey(train.Round));
        var from = ahead == 1 ? _node.Replica.Held : _node.Replica.BaseOfNext;
        Work(train, 800, 2_000, () =>
        {
            _world.Reach(Probe.AppliedWhileTraining, ahead == 1 && _node.Replica.Next == train.Round);
            var diverged = _world.Fate("diverge", _node.Plan.DivergesPerMille, _node.Member, train.Round.Number);
            _world.Reach(Probe.TrainingDiverged, diverged);
            if (_world.Scenario.ApplyDelay == 0)
            {
                return new Protocol.Trained(train.Round, Make(train.Round) && !diverged);
            }

            // What the inner steps give follows from base and samples alone; it is computed where it is needed, when it is encoded.
            _trained = (train.Round, from);
            return new Protocol.Trained(train.Round, !diverged && from is not null);
        });
    }

    private bool Make(Round round)
    {
        Must.Hold(
            _world.Scenario.ApplyDelay == 0 || (_trained.Round == round && _trained.From?.Digest == _node.Replica.BaseOfNext?.Digest), "training base",
            $"{_node.Name} has trained round {_trained.Round} from another base than the rules name for round {round}");
        var crafted = _node.Conduct.Make(new Craft(_world, _node, round));
        if (crafted is not null)
        {
            _node.Replica.Remember(crafted);
        }

        return crafted is not null;
    }

    // Sealing twice would give two ciphertexts: what is durable is never made again.
    private void Publish(PublishUpdate publish)
    {
        Must.Hold(!Openings.ContainsKey(publish.Round), "published once", $"{_node.Name} publishes round {publish.Round} twice");
        var bytes = _node.Conduct.Pack(_world.Objective.Write(_node.Replica.Pending!.Move), _world);
        Work(publish, 50, 500, () =>
        {
            var name = _world.Store.Put(bytes);
            using var hasher = new Hasher("simulation/opening");
            hasher.Append(name);
            hasher.Append(_node.Member);
            hasher.Append(++_openingsMade);
            var key = hasher.Finish();
            var receipt = SampleReceipt.Of(_world.Oracle.Assigned(publish.Round, _node.Uid!.Value));
            var opening = _node.Conduct.Declare(
                new Opening(name, bytes.Length, key, _node.Replica.TrainsFrom.Digest, receipt, key), _node, _world);
            Openings[publish.Round] = opening;
            return new Published(publish.Round, opening);
        });
    }

    private Applied? Apply(ApplyManifest apply)
    {
        Must.Hold(_node.Replica.Next == apply.Round, "round order", $"{_node.Name} applies round {apply.Round} and stands at {_node.Replica.Next}");
        Must.Hold(apply.Manifest.Contains(_node.Uid!.Value) == apply.Included, "own update", $"{_node.Name} is wrong about its own update");
        var manifest = apply.Manifest;
        if (!_world.CanRead(_node, manifest, out var missing))
        {
            if (_world.Mutation != Mutation.AppliesFewer || _node.CutOff)
            {
                return null;
            }

            var fewer = _world.AfterWithout(_node.Replica.Held, manifest, missing);
            _node.Replica.Apply(fewer, apply.Included, manifest.Empty, BookAfter(apply.Round));
            return new Applied(apply.Round, _node.Replica.Base);
        }

        _world.Reach(Probe.ExcludedUpdate, !apply.Included && !manifest.Empty && _node.Replica.Pending is not null);
        _node.Replica.Apply(_world.After(_node.Replica.Held, manifest), apply.Included, manifest.Empty, BookAfter(apply.Round));
        _world.Oracle.Applied(_node, apply.Round);
        return new Applied(apply.Round, _node.Replica.Base);
    }

    private PeerBook BookAfter(Round round) => _node.Role == Role.Peer ? PeerBook.Empty
        : _judged is { } judged && judged.Round == round ? judged.Book
        : _world.Trials.Before(_node.Replica.Book, round, _node.View.PaidIn(new Round(round.Number - 1)));

    private void Judge(JudgeUpdates judge, RoundView view)
    {
        var judging = new SimJudge(_world, _node, view);
        Work(judge, 100, 1_500, () =>
        {
            if (!judging.TryFetch())
            {
                return null;
            }

            var (verdict, book) = judging.Close();
            _judged = (judge.Round, book);
            return new Judged(judge.Round, verdict);
        });
    }

    private SharesReady? Settle(Round round)
    {
        if (_node.Conduct.Shares(_node, _world, round) is not { } shares)
        {
            return null;
        }

        _world.Store.Publish(round, _node.Replica.Held);
        return new SharesReady(round, new PostShares(round, shares, _node.Replica.Base));
    }
}
