using System.Globalization;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Simulation;

/// <summary>A whole swarm in one thread: real machines, a real ledger state, the real rules of judgement, a small objective, virtual time. The scenario says
/// everything; running it twice gives the same events.</summary>
internal sealed class World : IDisposable
{
    private const long EventsOfNodeMax = 40_000;
    private readonly List<SimNode> _nodes = [];
    private readonly Dictionary<PublicKey, SimNode> _byKey = [];
    private readonly List<string>? _trace;
    private readonly int _traced;
    private readonly HashSet<Probe> _reached = [];
    private readonly Dictionary<(Digest Point, Digest Manifest), ModelPoint> _after = [];
    private readonly Dictionary<Digest, MovePart[]> _parts = [];
    private readonly ToyObjective? _toy;
    private SeededRandom _network;
    private SeededRandom _faults;
    private ulong _print = 14_695_981_039_346_656_037;

    public World(Scenario scenario, bool trace = false, int traced = -1, Mutation mutation = Mutation.None, IObjective? objective = null)
    {
        (Scenario, Mutation, _traced, _trace) = (scenario, mutation, traced, trace ? [] : null);
        _network = new SeededRandom(scenario.DelaySeed, "network");
        _faults = new SeededRandom(scenario.DelaySeed, "faults");
        _toy = objective is null ? new ToyObjective(scenario.Seed, scenario.SampleCount) : null;
        Objective = objective ?? _toy!;
        Founding = new Founding(scenario, Objective.Start.Digest);
        Ledger = new SimLedger(this, Founding.Genesis);
        Store = new SimStore(this);
        Trials = new Trials(this);
        Oracle = new Oracle(this);
        for (var i = 0; i < scenario.MemberCount; i++)
        {
            _nodes.Add(new SimNode(this, i));
            _byKey.Add(_nodes[i].Key, _nodes[i]);
        }

        Replay = new PrivateReplay(this);
    }

    public Scenario Scenario { get; }

    public Mutation Mutation { get; }

    public IObjective Objective { get; }

    public Founding Founding { get; }

    public SimLedger Ledger { get; }

    public SimStore Store { get; }

    public Trials Trials { get; }

    public Oracle Oracle { get; }

    public PrivateReplay Replay { get; }

    public EventHeap Heap { get; } = new();

    /// <summary>The round that was judged last, as the ledger shows it.</summary>
    public RoundView? JudgedRound { get; set; }

    public IReadOnlyList<SimNode> Nodes => _nodes;

    public IReadOnlySet<Probe> Reached => _reached;

    /// <summary>Every event as a line, if the world was made with a trace.</summary>
    public IReadOnlyList<string> Trace => _trace ?? [];

    /// <summary>A number over all events and when they happened: equal for equal runs, with or without a trace.</summary>
    public ulong Fingerprint => _print;

    public bool Faulty => Heap.Now < Scenario.HealAt;

    /// <summary>Runs to the end and asks the oracles.</summary>
    /// <param name="isStopped">Asked before every event.</param>
    public World Run(Func<bool>? isStopped = null)
    {
        foreach (var node in _nodes)
        {
            node.Begin();
        }

        var eventsMax = EventsOfNodeMax * _nodes.Count;
        while (!_nodes.TrueForAll(node => node.Ended))
        {
            if (isStopped?.Invoke() == true)
            {
                throw new OperationCanceledException();
            }

            Must.Hold(Heap.Next(), "liveness", $"nothing will ever happen again: {Describe()}");
            Must.Hold(Heap.Happened < eventsMax, "liveness", $"too many events: {Describe()}");
            Must.Hold(Heap.Now < TimeMax, "liveness", $"too late: {Describe()}");
        }

        FinalChecks.Pass(this);
        return this;
    }

    // After the healing every stage ends by its deadline at the latest; a node that is far behind has all the rounds before it to repeat.
    private long TimeMax => Scenario.HealAt + ((Scenario.Rounds + 2) * 5 * ((10 * Scenario.StageMax / 10) + 10_000)) + 600_000;

    public SimNode NodeOf(Uid uid) => _byKey[Ledger.Head.Members[uid.Value].Key];

    public SimNode NodeOf(PublicKey key) => _byKey[key];

    public void Reach(Probe probe, bool reached = true)
    {
        if (reached)
        {
            _reached.Add(probe);
        }
    }

    /// <summary>A chance of the network.</summary>
    public bool Chance(int perMille) => perMille > 0 && _network.NextBelow(1000) < perMille;

    /// <summary>A delay of the network.</summary>
    public long Delay(long min, long max) => min + (long)_network.NextBelow((ulong)(max - min + 1));

    /// <summary>A chance of the faults: another stream, so that a new fault shifts no delay.</summary>
    public bool Strikes(int perMille) => perMille > 0 && _faults.NextBelow(1000) < perMille;

    /// <summary>How long or where a fault strikes.</summary>
    public long Fault(long min, long max) => min + (long)_faults.NextBelow((ulong)(max - min + 1));

    /// <summary>A draw that does not depend on when it is made.</summary>
    public bool Fate(string what, int perMille, params ReadOnlySpan<long> indices) =>
        perMille > 0 && new SeededRandom(Scenario.Seed, what, indices).NextBelow(1000) < perMille;

    /// <summary>True if somebody who is cut off stands at that height.</summary>
    public bool Reads(long height) => _nodes.Exists(node => node.CutHeight == height);

    /// <summary>True for the nodes that compute for themselves what is shared, and compare.</summary>
    public bool ReplaysPrivately(SimNode node) => node.Role == Role.Validator && node.Member - Scenario.Peers.Count < Scenario.PrivateReplays;

    /// <summary>Tells everybody that there are new blocks.</summary>
    public void Spread()
    {
        Replay.Follow();
        foreach (var node in _nodes)
        {
            node.Deliver();
        }
    }

    /// <summary>The base after a round from a base before it: computed once for all who hold the same.</summary>
    public Replicated After(Replicated before, Manifest manifest)
    {
        if (manifest.Empty)
        {
            return before;
        }

        var key = (before.Point.Digest, manifest.Digest);
        if (!_after.TryGetValue(key, out var point))
        {
            _after.Add(key, point = Objective.Apply(before.Point, PartsOf(manifest)));
        }

        return new Replicated(point, before.Digest == before.Point.Digest ? point.Digest
            : Digest.Of("simulation/after-wrong", [.. before.Digest.ToArray(), .. point.Digest.ToArray()]));
    }

    /// <summary>What a node computes that leaves out what it cannot fetch.</summary>
    public Replicated AfterWithout(Replicated before, Manifest manifest, int missing)
    {
        var parts = PartsOf(manifest).Where((_, place) => place != missing).ToArray();
        var point = parts.Length == 0 ? before.Point : Objective.Apply(before.Point, parts);
        return new Replicated(point, point.Digest);
    }

    /// <summary>True if a node can read every update of a manifest now.</summary>
    public bool CanRead(SimNode node, Manifest manifest, out int missing)
    {
        missing = 0;
        if (manifest.Empty || (Store.Plain && !node.CutOff))
        {
            return !node.CutOff;
        }

        for (var i = 0; i < manifest.Entries.Count; i++)
        {
            if (Store.Read(manifest.Entries[i].ObjectDigest, node) != ReadOutcome.Intact)
            {
                missing = i;
                return false;
            }
        }

        return true;
    }

    /// <summary>The update of a peer that it shows its friends before it commits; null if it has not made it yet.</summary>
    public SparseMove? LeakOf(Round round, int member) =>
        member >= 0 && _nodes[member] is { Alive: true } friend && friend.Replica.Next == round ? friend.Replica.Pending?.Move : null;

    /// <summary>An update of a round's manifest that is not of this peer; null if there is none.</summary>
    public SparseMove? MoveIn(Round round, Uid not)
    {
        foreach (var entry in Ledger.Head.ManifestOf(round)?.Entries ?? [])
        {
            if (entry.Uid != not)
            {
                return Store.Open(entry.ObjectDigest).Move;
            }
        }

        return null;
    }

    public void Tell(SimNode node, string text)
    {
        if (_trace is not null && (_traced < 0 || _traced == node.Member))
        {
            _trace.Add(_traced < 0 ? string.Create(CultureInfo.InvariantCulture, $"{Heap.Now,7} {node.Name} {text}") : text);
        }
    }

    public void Tell(SimNode node, NodeEvent happened)
    {
        Print(node, happened.GetType());
        if (_trace is not null)
        {
            Tell(node, Words.Of(happened));
        }
    }

    public void Tell(SimNode node, Effect effect)
    {
        Print(node, effect.GetType());
        if (_trace is not null)
        {
            Tell(node, "  " + Words.Of(effect));
        }
    }

    public string Describe() =>
        $"at {Heap.Now} ms, {Ledger.Head.Stage} of round {Ledger.Head.CurrentRound}; "
        + string.Join("; ", _nodes.Where(n => !n.Ended).Take(12).Select(n => $"{n.Name} {(n.Alive ? "waits for " + n.WaitsFor : "is dead")}"));

    public void Dispose()
    {
        Founding.Dispose();
        _toy?.Dispose();
    }

    private MovePart[] PartsOf(Manifest manifest)
    {
        if (!_parts.TryGetValue(manifest.Digest, out var parts))
        {
            parts = [.. manifest.Entries.Select(entry => new MovePart(Store.Open(entry.ObjectDigest).Move!, entry.Weight))];
            _parts.Add(manifest.Digest, parts);
        }

        return parts;
    }

    // FNV-1a over time, node, kind and the height of the ledger.
    private void Print(SimNode node, Type kind)
    {
        Mix((ulong)Heap.Now);
        Mix((ulong)node.Member);
        Mix((ulong)kind.Name.Length ^ ((ulong)kind.Name[0] << 8));
        Mix((ulong)Ledger.Head.Height);
    }

    private void Mix(ulong value) => _print = unchecked((_print ^ value) * 1_099_511_628_211);
}
