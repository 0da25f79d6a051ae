using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>Does what a machine asks for, in virtual time, with a place to die before and after everything.</summary>
internal sealed class SimEffects
{
    private readonly World _world;
    private readonly SimNode _node;
    private readonly Dictionary<string, SignedOperation> _outbox = [];
    private readonly ReplicaUse _use = new();
    private Digest? _update;
    private int _openingsMade;

    public SimEffects(World world, SimNode node) => (_world, _node) = (world, node);

    /// <summary>Durable: what commits hide.</summary>
    public SortedDictionary<Round, Opening> Openings { get; } = [];

    /// <summary>A new life.</summary>
    public void Reset()
    {
        _use.Clear();
        _update = null;
    }

    public void NoteDeath(LedgerState view)
    {
        if (view.CommitOf(_node.Uid) is null)
        {
            return;
        }

        _world.Reach(view.OpeningOf(_node.Uid) is null ? Probe.KilledBetweenCommitAndReveal : Probe.KilledBetweenRevealAndApply, _node.Replica.Next == view.CurrentRound);
    }

    public void Begin(Effect effect, LedgerState view)
    {
        if (!_node.Survives($"before {Words.Of(effect)}"))
        {
            return;
        }

        switch (effect)
        {
            case RunInnerSteps train:
                Train(train.Round);
                break;
            case PublishUpdate publish:
                Publish(publish.Round);
                break;
            case Submit submit:
                Say(submit.Operation);
                break;
            case SubmitBeacon beacon:
                Assert.Equal(view.CurrentRound, beacon.Round);
                Say(Founding.BeaconOf(view, _node.Uid));
                break;
            case ApplyManifest apply:
                Work(effect, 50, 400, () => new Applied(apply.Round, _node.Replica.Apply(_world.Oracle.Contributions(apply.Manifest), Included(apply))));
                break;
            case Recompute again:
                Work(effect, 50, 400, () => new Recomputed(
                    again.Round, _node.Replica.Recompute(again.Round, _world.Oracle.Contributions(again.Manifest)) ?? _node.Replica.Base));
                break;
            case CatchUp back:
                Work(effect, 50, 400, () =>
                {
                    _node.Replica.GoBack(back.Round);
                    return new WentBack(back.Round);
                });
                break;
            case JudgeUpdates judge:
                var verdict = SimJudge.Judge(_world, _node, view);
                Work(effect, 100, 1_500, () => new Judged(judge.Round, verdict));
                break;
            case PrepareSettlement settle:
                var shares = SimJudge.Divide(view, _node.Replica.Base);
                Work(effect, 50, 800, () => new SharesReady(settle.Round, shares));
                break;
            case Evaluate:
                break;
            default:
                throw new InvariantViolation($"no host does {effect.GetType().Name}");
        }
    }

    // Takes time; then what it did is durable; then, if the node lives, the machine hears of it.
    private void Work(Effect effect, int min, int max, Func<NodeEvent> finish)
    {
        var life = _node.Life;
        _use.Begin(effect);
        _world.Heap.After(_world.Delay(min, max) * _node.Trait.Slowness, () =>
        {
            if (!_node.Alive || _node.Life != life)
            {
                return;
            }

            _use.End(effect);
            var happened = finish();
            if (_node.Survives($"after {Words.Of(effect)}"))
            {
                _node.Tell(happened, life);
            }
        });
    }

    private void Train(Round round)
    {
        Assert.Equal(_node.Replica.Next, round);
        _world.Reach(Probe.TrainedAgainAfterRestart, Openings.ContainsKey(round));
        Work(new RunInnerSteps(round), 800, 2_000, () =>
        {
            _update = _node.Replica.Train(_node.Uid, _world.Oracle.Assigned(round, _node.Uid));
            var diverged = _world.Fate("diverge", _node.Trait.DivergesPerMille, _node.Uid.Value, round.Number);
            _world.Reach(Probe.TrainingDiverged, diverged);
            return new Trained(round, !diverged);
        });
    }

    // Sealing twice would give two ciphertexts: what is durable is never made again.
    private void Publish(Round round)
    {
        Assert.False(Openings.ContainsKey(round), $"{_node.Name} publishes round {round} twice");
        var random = Digest.Of("simulation/seal", [(byte)_node.Uid.Value, (byte)round.Number, (byte)++_openingsMade]);
        var opening = new Opening(random, 1_000, random, _node.Replica.Base, SimJudge.Receipt(_world.Oracle.Assigned(round, _node.Uid)), _update!.Value);
        var update = _update!.Value;
        Work(new PublishUpdate(round), 50, 500, () =>
        {
            _world.Store[opening.ObjectDigest] = update;
            Openings[round] = opening;
            return new Published(round, opening);
        });
    }

    private bool Included(ApplyManifest apply)
    {
        Assert.Equal(_node.Replica.Next, apply.Round);
        Assert.Equal(apply.Manifest.Contains(_node.Uid), apply.Included);
        _world.Reach(Probe.ExcludedUpdate, !apply.Included && !apply.Manifest.Empty && _update is not null);
        _update = null;
        return apply.Included;
    }

    // Rule 4: signed, durable, and only then sent; what an earlier life signed for the slot is sent again.
    private void Say(Operation operation)
    {
        if (operation is Reveal && _node.Trait.NeverOpens)
        {
            _world.Reach(Probe.CommitNotOpened);
            return;
        }

        var slot = Words.Slot(operation);
        if (!_outbox.TryGetValue(slot, out var signed))
        {
            signed = _world.Chain.Sign(_node.Key, operation);
            _outbox.Add(slot, signed);
        }
        else if (_node.Trait.Wrong == Wrong.Never)
        {
            Assert.True(
                OperationCodec.ToBytes(operation).AsSpan().SequenceEqual(signed.Content), $"{_node.Name} wants to say something else in a slot it has filled: {slot}");
        }

        var life = _node.Life;
        if (!_node.Survives($"between signing and sending the {slot}"))
        {
            _world.Reach(Probe.KilledBetweenSigningAndSending);
            return;
        }

        var onItsWay = _world.Chance(500);
        _world.Heap.After(_world.Delay(0, 200), () =>
        {
            if (onItsWay || (_node.Alive && _node.Life == life))
            {
                Append(signed);
            }
        });
    }

    private void Append(SignedOperation signed)
    {
        var why = _world.Append(signed);
        _world.Tell(_node, $"  the ledger: {Words.Slot(signed.Operation)}: {why}");
        Assert.True(
            why is Rejection.None or Rejection.AlreadyThere or Rejection.Late || (why == Rejection.Equivocation && _node.Trait.Wrong != Wrong.Never),
            $"{_node.Name}: {Words.Of(signed.Operation)} was refused: {why}");
        _world.Reach(Probe.ReturnedAfterAbsence, signed.Operation is Return && why == Rejection.None);
        if (_node.Trait.Equivocates && SimJudge.Otherwise(signed.Operation) is { } other)
        {
            var answer = _world.Append(_world.Chain.Sign(_node.Key, other));
            Assert.True(answer is Rejection.Equivocation or Rejection.Late, $"a second {Words.Slot(other)} of {_node.Name} was answered by {answer}");
            _world.Reach(Probe.EquivocationRefused, answer == Rejection.Equivocation);
        }
    }
}
