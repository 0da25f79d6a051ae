using System.Globalization;
using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>A whole swarm in one thread: real machines, a real ledger state, fake replicas, virtual time. The scenario says everything; running it twice
/// gives the same events.</summary>
internal sealed class World
{
    private const long EventsMax = 300_000;
    private readonly List<SimNode> _nodes = [];
    private readonly List<string>? _trace;
    private readonly HashSet<Probe> _reached = [];
    private readonly int _traced;
    private SeededRandom _random;

    public World(Scenario scenario, bool trace = false, int traced = -1)
    {
        Scenario = scenario;
        _trace = trace ? [] : null;
        _traced = traced;
        _random = new SeededRandom(scenario.DelaySeed, "world");
        Chain = new Chain(Founding.Of(scenario));
        Oracle = new Oracle(this);
        for (var i = 0; i < Chain.Genesis.Members.Count; i++)
        {
            _nodes.Add(new SimNode(this, new Uid(i), Chain.Genesis.Members[i], i < scenario.Peers.Count ? scenario.Peers[i] : scenario.Validators[i - scenario.Peers.Count]));
        }
    }

    public Scenario Scenario { get; }

    public Chain Chain { get; }

    public Oracle Oracle { get; }

    public EventHeap Heap { get; } = new();

    /// <summary>Which update lies in the store under which name.</summary>
    public Dictionary<Digest, Digest> Store { get; } = [];

    public IReadOnlyList<SimNode> Nodes => _nodes;

    public IReadOnlySet<Probe> Reached => _reached;

    public string Trace => _trace is null ? "" : string.Join('\n', _trace);

    public bool Faulty => Heap.Now < Scenario.HealAt;

    /// <summary>Runs to the end and asks the oracles.</summary>
    public World Run()
    {
        foreach (var node in _nodes)
        {
            node.Begin();
        }

        while (!_nodes.TrueForAll(node => node.Ended))
        {
            Assert.True(Heap.Next(), "nothing will ever happen again: " + Describe());
            Assert.True(Heap.Happened < EventsMax, "too many events: " + Describe());
            Assert.True(Heap.Now < TimeMax, "too late: " + Describe());
        }

        FinalChecks.Pass(this);
        return this;
    }

    // After the healing every stage ends by its deadline at the latest; a node that is far behind has all the rounds before it to repeat.
    private long TimeMax => Scenario.HealAt + ((Scenario.Rounds + 2) * 5 * (Scenario.StageMax + 5_000)) + 400_000;

    public void Reach(Probe probe, bool reached = true)
    {
        if (reached)
        {
            _reached.Add(probe);
        }
    }

    public bool Chance(int perMille) => perMille > 0 && ScenarioDraw.Chance(ref _random, perMille);

    public long Delay(long min, long max) => min + (long)_random.NextBelow((ulong)(max - min + 1));

    /// <summary>A draw that does not depend on when it is made.</summary>
    public bool Fate(string what, int perMille, params ReadOnlySpan<long> indices) =>
        perMille > 0 && new SeededRandom(Scenario.Seed, what, indices).NextBelow(1000) < perMille;

    /// <summary>Appends to the ledger and, if it was taken, tells everybody, each after a delay of its own.</summary>
    public Rejection Append(SignedOperation signed)
    {
        var (round, stage) = (Chain.State.CurrentRound, Chain.State.Stage);
        var why = Chain.Append(signed);
        if (why != Rejection.None)
        {
            Reach(Probe.RefusedAsLate, why == Rejection.Late);
            return why;
        }

        Reach(Probe.TimeoutClosedStage, signed.Operation is Ledger.Timeout && (Chain.State.CurrentRound, Chain.State.Stage) != (round, stage));
        Oracle.See();
        foreach (var node in _nodes)
        {
            node.Deliver(Chain.Blocks.Count);
        }

        return why;
    }

    public void Tell(SimNode node, string text)
    {
        if (_trace is not null && (_traced < 0 || _traced == node.Uid.Value))
        {
            _trace.Add(_traced < 0 ? string.Create(CultureInfo.InvariantCulture, $"{Heap.Now,7} {node.Name} {text}") : text);
        }
    }

    public string Describe() =>
        $"at {Heap.Now} ms, {Chain.State.Stage} of round {Chain.State.CurrentRound}; "
        + string.Join("; ", _nodes.Where(n => !n.Ended).Select(n => $"{n.Name} {(n.Alive ? "waits for " + n.WaitsFor : "is dead")}"));
}
