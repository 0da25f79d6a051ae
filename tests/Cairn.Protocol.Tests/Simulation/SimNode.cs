using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>One node: a real machine in a host of virtual time. What a kill leaves: the replica's slots, the outbox, the openings.</summary>
internal sealed class SimNode
{
    private readonly World _world;
    private readonly SimEffects _effects;
    private readonly LedgerState _view;
    private Func<NodeEvent, LedgerState, IReadOnlyList<Effect>> _step = (_, _) => [];
    private Func<string> _waitsFor = () => "";
    private AskedOnce _asked = new();
    private int _available;
    private int _read;
    private long _lastDelivery;
    private int _timer;
    private int _boundaries;

    public SimNode(World world, Uid uid, GenesisMember member, Trait trait)
    {
        (_world, Uid, Trait, Role, Name, Key) = (world, uid, trait, member.Role, member.Name, member.PublicKey);
        Replica = new FakeReplica(trait, world.Chain.Genesis.InitialBase);
        _effects = new SimEffects(world, this);
        _view = LedgerState.FromGenesis(world.Chain.Genesis);
    }

    public Uid Uid { get; }

    public Trait Trait { get; }

    public Role Role { get; }

    public string Name { get; }

    public PublicKey Key { get; }

    public FakeReplica Replica { get; }

    /// <summary>Counts lives: what was begun in an earlier one is lost.</summary>
    public int Life { get; private set; }

    public bool Alive { get; private set; }

    public bool Finished { get; private set; }

    public bool Halted { get; private set; }

    public bool Ended => Finished || Halted || (Trait.GoneForGood && !Alive && _world.Heap.Now >= Trait.GoneFrom);

    public string WaitsFor => _waitsFor();

    /// <summary>How many effect boundaries this node has passed: places at which it can be killed.</summary>
    public int Boundaries => _boundaries;

    public void Begin()
    {
        Start();
        if (Trait.GoneFrom >= 0)
        {
            _world.Heap.After(Trait.GoneFrom, () => Kill("goes away", Trait.GoneTo == long.MaxValue ? -1 : Trait.GoneTo - Trait.GoneFrom));
        }
    }

    /// <summary>New blocks are on their way here; they come in order.</summary>
    public void Deliver(int blocks)
    {
        var at = Math.Max(_lastDelivery, _world.Heap.Now + _world.Delay(1, 300));
        _lastDelivery = at;
        _world.Heap.After(at - _world.Heap.Now, () => Arrive(blocks));
    }

    /// <summary>Tells the machine, in the life in which the work was begun.</summary>
    public void Tell(NodeEvent happened, int life)
    {
        if (Alive && Life == life && !Finished && !Halted)
        {
            Take(happened);
        }
    }

    /// <summary>A place where a node can die.</summary>
    /// <returns>False if it did.</returns>
    public bool Survives(string where)
    {
        _boundaries++;
        var killed = _world.Scenario.KillAt == (Uid.Value, _boundaries) || (_world.Faulty && _world.Chance(_world.Scenario.KillPerMille));
        if (killed)
        {
            Kill(where, _world.Delay(100, _world.Chance(200) ? 60_000 : 3_000));
        }

        return !killed;
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
        var last = Replica.Next.Number == 0 ? Digest.Zero : Replica.Base;
        if (Role == Role.Peer)
        {
            var machine = new PeerMachine(Key, Replica.Next, last);
            (_step, _waitsFor) = (machine.Step, () => machine.WaitsFor);
        }
        else
        {
            var machine = new ValidatorMachine(Key, Replica.Next, last, evaluates: Uid.Value == _world.Scenario.Peers.Count);
            (_step, _waitsFor) = (machine.Step, () => machine.WaitsFor);
        }

        _world.Tell(this, $"begins life {Life} at round {Replica.Next}");
        var life = Life;
        ReadBlocks();
        foreach (var (round, opening) in _effects.Openings.Where(kept => kept.Key >= Replica.Next).ToArray())
        {
            Tell(new Published(round, opening), life);
        }

        Tell(new LedgerMoved(_view), life);
    }

    private void Kill(string where, long restartAfter)
    {
        if (!Alive || Finished || Halted)
        {
            return;
        }

        _world.Tell(this, $"dies: {where}");
        _effects.NoteDeath(_view);
        Alive = false;
        if (restartAfter >= 0 && !(Trait.GoneForGood && _world.Heap.Now >= Trait.GoneFrom))
        {
            _world.Heap.After(restartAfter, Restart);
        }
    }

    private void Restart()
    {
        if (Alive || (Trait.GoneForGood && _world.Heap.Now >= Trait.GoneFrom))
        {
            return;
        }

        var before = Replica.Next;
        Replica.Restart(fallBack: _world.Faulty && _world.Chance(_world.Scenario.FallBackPerMille));
        _world.Reach(Probe.FellBackOneState, Replica.Next < before);
        Start();
    }

    private void Arrive(int blocks)
    {
        _available = Math.Max(_available, blocks);
        if (!Alive || Finished || Halted)
        {
            return;
        }

        if (_world.Faulty && _world.Chance(_world.Scenario.LostPerMille))
        {
            _world.Heap.After(_world.Delay(250, 4_000), Look);
            return;
        }

        Look();
        if (_world.Chance(_world.Scenario.TwicePerMille))
        {
            Tell(new LedgerMoved(_view), Life);
        }
    }

    private void Look()
    {
        if (Alive && !Finished && !Halted && ReadBlocks())
        {
            Take(new LedgerMoved(_view));
        }
    }

    private bool ReadBlocks()
    {
        var news = _read < _available;
        while (_read < _available)
        {
            _view.Apply(_world.Chain.Blocks[_read++], verifySignatures: false);
        }

        return news;
    }

    private void Take(NodeEvent happened)
    {
        var life = Life;
        _world.Tell(this, Words.Of(happened));
        _asked.Note(happened);
        foreach (var effect in _step(happened, _view))
        {
            if (Life != life || !Alive)
            {
                return;
            }

            _world.Tell(this, "  " + Words.Of(effect));
            _asked.Check(effect);
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
                    _effects.Begin(effect, _view);
                    break;
            }
        }
    }

    // One timer: a new one takes the place of the old.
    private void Arm(ArmDeadline arm)
    {
        var (timer, life) = (++_timer, Life);
        _world.Heap.After(_world.Scenario.StageMax, () =>
        {
            if (timer == _timer)
            {
                Tell(new DeadlinePassed(arm.Round, arm.Stage), life);
            }
        });
    }
}
