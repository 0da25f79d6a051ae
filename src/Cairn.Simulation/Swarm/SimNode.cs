using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Simulation;

/// <summary>One node: a real machine in a host of virtual time. What a kill leaves: the replica's slots, the outbox, the openings.</summary>
internal sealed class SimNode
{
    private readonly World _world;
    private readonly SimEffects _effects;
    private Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> _step = (_, _) => [];
    private Func<string> _waitsFor = () => "";
    private AskedOnce _asked = new();
    private Uid? _uid;
    private bool _joined;
    private long _seen = -1;
    private long _cutHeight = -1;
    private long _lastDelivery;
    private int _timer;

    public SimNode(World world, int member)
    {
        (_world, Member, Plan, Role) = (world, member, world.Scenario.PlanOf(member), world.Scenario.RoleOf(member));
        Name = world.Founding.NameOf(member);
        Key = world.Founding.PublicOf(member);
        Conduct = Conducts.Of(Plan.Conduct);
        Replica = new SimReplica(world, Plan, new Round(0), new Replicated(world.Objective.Start, world.Objective.Start.Digest));
        _effects = new SimEffects(world, this);
        _joined = Plan.JoinsAt < 0;
    }

    /// <summary>Its place in the scenario: peers first, then validators.</summary>
    public int Member { get; }

    public MemberPlan Plan { get; }

    public Conduct Conduct { get; }

    public Role Role { get; }

    public string Name { get; }

    public PublicKey Key { get; }

    public SimReplica Replica { get; private set; }

    /// <summary>Its number on the ledger, once it has one.</summary>
    public Uid? Uid => _uid ??= _world.Ledger.Head.Find(Key)?.Uid;

    /// <summary>Counts lives: what was begun in an earlier one is lost.</summary>
    public int Life { get; private set; }

    public bool Alive { get; private set; }

    public bool Finished { get; private set; }

    public bool Halted { get; private set; }

    /// <summary>True while it sees neither ledger nor store.</summary>
    public bool CutOff => _cutHeight >= 0;

    /// <summary>The height it stands at while it is cut off.</summary>
    public long CutHeight => _cutHeight;

    public bool Ended => Finished || Halted || TooLate || (Plan.GoneForGood && !Alive && _world.Heap.Now >= Plan.GoneFrom);

    /// <summary>True for one that wanted to join when the run was over.</summary>
    public bool TooLate { get; private set; }

    public string WaitsFor => _joined ? _waitsFor() : "its time to join";

    /// <summary>How many effect boundaries this node has passed: places at which it can be killed.</summary>
    public int Boundaries { get; private set; }

    /// <summary>The ledger as this node sees it: the newest final block, or the last one before it was cut off.</summary>
    public LedgerState View => CutOff ? _world.Ledger.At(_cutHeight) : _world.Ledger.Head;

    public void Begin()
    {
        if (_joined)
        {
            Start();
        }
        else
        {
            _world.Heap.After(Plan.JoinsAt, Join);
        }

        if (Plan.GoneFrom >= 0)
        {
            _world.Heap.After(Plan.GoneFrom, () => Kill("goes away", Plan.GoneTo == long.MaxValue ? -1 : Plan.GoneTo - Plan.GoneFrom));
        }

        if (Plan.CutFrom >= 0)
        {
            _world.Heap.After(Plan.CutFrom, () => _cutHeight = _world.Ledger.Head.Height);
            _world.Heap.After(Plan.CutTo, Reconnect);
        }
    }

    /// <summary>New blocks are there; this node hears of them in their order.</summary>
    public void Deliver()
    {
        if (Ended || !_joined)
        {
            return;
        }

        var at = Math.Max(_lastDelivery, _world.Heap.Now + _world.Delay(1, 150));
        _lastDelivery = at;
        _world.Heap.After(at - _world.Heap.Now, Hear);
    }

    /// <summary>Tells the machine, in the life in which the work was begun.</summary>
    public void Tell(NodeEvent happened, int life)
    {
        if (Alive && Life == life && !Finished && !Halted)
        {
            Take(happened);
        }
    }

    /// <summary>The ledger's answer to a statement of this node.</summary>
    public void Answered(SignedOperation signed, Rejection why)
    {
        _world.Oracle.Answered(this, signed, why);
        TooLate |= signed.Operation is Register && why == Rejection.Late;
        _world.Reach(Probe.JoinedLate, signed.Operation is Register && why == Rejection.None);
    }

    /// <summary>A place where a node can die.</summary>
    /// <param name="what">What it does there.</param>
    /// <param name="where">The place in words, asked for if it does.</param>
    /// <returns>False if it did.</returns>
    public bool Survives<T>(T what, Func<T, string> where)
    {
        Boundaries++;
        var killed = (_world.Scenario.KillMember == Member && _world.Scenario.KillBoundary == Boundaries)
            || (_world.Faulty && _world.Strikes(_world.Scenario.Faults.KillPerMille));
        if (killed)
        {
            Kill(where(what), _world.Fault(100, _world.Strikes(200) ? 60_000 : 3_000));
        }

        return !killed;
    }

    private void Join()
    {
        _joined = true;
        if (_world.Ledger.Head.LatestCheckpoint is { } latest)
        {
            BeginFrom(latest.Round, latest.Digest);
        }

        Start();
    }

    // Rule 8: whatever a joiner is given, it compares with what the ledger says; without a good one it takes every round from the first.
    private void BeginFrom(Round round, Digest name)
    {
        for (var attempt = 0; attempt < 2; attempt++)
        {
            if (_world.Store.Checkpoint(round, damaged: _world.Strikes(400)) is not { } found)
            {
                return;
            }

            if (found.Digest == name || _world.Mutation == Mutation.TrustsCheckpoint)
            {
                Replica = new SimReplica(_world, Plan, round.Next, found);
                _world.Reach(Probe.BeganFromCheckpoint);
                return;
            }

            _world.Reach(Probe.RefusedCheckpoint);
        }
    }

    private void Reconnect()
    {
        _cutHeight = -1;
        Hear();
    }

    private void Start()
    {
        if (Halted || Finished)
        {
            return;
        }

        Life++;
        Alive = true;
        _asked = new AskedOnce();
        _effects.Reset();
        _seen = View.Height;
        var last = Replica.Next.Number == 0 ? Digest.Zero : Replica.Base;
        if (Role == Role.Peer)
        {
            var machine = new PeerMachine(Key, Replica.Next, last, _world.Scenario.ApplyDelay);
            (_step, _waitsFor) = (machine.Step, () => machine.WaitsFor);
        }
        else
        {
            var machine = new ValidatorMachine(Key, Replica.Next, last, evaluates: Member == _world.Scenario.Peers.Count);
            (_step, _waitsFor) = (machine.Step, () => machine.WaitsFor);
        }

        _world.Tell(this, $"begins life {Life} at round {Replica.Next}");
        var life = Life;
        if (View.Find(Key) is null)
        {
            _effects.Say(_world.Founding.RegistrationOf(Member));
        }

        foreach (var (round, opening) in _effects.Openings.Where(kept => kept.Key >= Replica.Next).ToArray())
        {
            Tell(new Published(round, opening), life);
        }

        Tell(new LedgerMoved(View), life);
    }

    private void Kill(string where, long restartAfter)
    {
        if (!Alive || Finished || Halted)
        {
            return;
        }

        _world.Tell(this, $"dies: {where}");
        _effects.NoteDeath(View);
        Alive = false;
        if (restartAfter >= 0 && !(Plan.GoneForGood && _world.Heap.Now >= Plan.GoneFrom))
        {
            _world.Heap.After(restartAfter, Restart);
        }
    }

    private void Restart()
    {
        if (Alive || (Plan.GoneForGood && _world.Heap.Now >= Plan.GoneFrom))
        {
            return;
        }

        var before = Replica.Next;
        Replica.Restart(fallBack: _world.Faulty && _world.Strikes(_world.Scenario.Faults.FallBackPerMille));
        _world.Reach(Probe.FellBackOneState, Replica.Next < before);
        Start();
    }

    private void Hear()
    {
        if (!Alive || Finished || Halted || CutOff)
        {
            return;
        }

        if (_world.Faulty && _world.Strikes(_world.Scenario.Faults.LatePerMille))
        {
            _world.Heap.After(_world.Fault(250, 4_000), Look);
            return;
        }

        Look();
        if (_world.Scenario.Faults.TwicePerMille > 0 && Alive && _world.Strikes(_world.Scenario.Faults.TwicePerMille))
        {
            Tell(new LedgerMoved(View), Life);
        }
    }

    private void Look()
    {
        if (Alive && !Finished && !Halted && View.Height > _seen)
        {
            Take(new LedgerMoved(View));
        }
    }

    private void Take(NodeEvent happened)
    {
        var (life, view) = (Life, View);
        _seen = view.Height;
        _world.Reach(Probe.SteppedOnOldView, CutOff && view.Height < _world.Ledger.Head.Height);
        _world.Tell(this, happened);
        _asked.Note(happened);
        foreach (var effect in _step(happened, view))
        {
            if (Life != life || !Alive)
            {
                return;
            }

            _world.Tell(this, effect);
            _asked.Check(effect, this);
            switch (effect)
            {
                case Finish:
                    Finished = true;
                    return;
                case Halt:
                    Halted = true;
                    return;
                case ArmDeadline arm:
                    Arm(arm);
                    break;
                default:
                    _effects.Begin(effect, view);
                    break;
            }
        }

        if (Life == life && Alive)
        {
            _effects.CaughtUp(view);
        }
    }

    // One timer: a new one takes the place of the old.
    private void Arm(ArmDeadline arm)
    {
        if (_world.Mutation == Mutation.NeverTimesOut)
        {
            return;
        }

        var (timer, life) = (++_timer, Life);
        _world.Heap.After(_world.Scenario.StageMax * Plan.ClockPerMille / 1000 / (arm.Again ? ArmDeadline.AgainPart : 1), () =>
        {
            if (timer == _timer)
            {
                Tell(new DeadlinePassed(arm.Round, arm.Stage), life);
            }
        });
    }
}
