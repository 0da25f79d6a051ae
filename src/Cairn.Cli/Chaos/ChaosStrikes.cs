using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger.Evm;

namespace Cairn.Cli.Chaos;

/// <summary>What goes wrong: from the seed, one thing after another, each put right after a while. All kinds come before any comes again.</summary>
internal sealed class ChaosStrikes
{
    private readonly ChaosWorld _world;
    private readonly Action<string> _tell;
    private readonly List<(DateTimeOffset At, Action Heal)> _healing = [];
    private readonly List<string> _dealt;
    private readonly Queue<string> _next = [];
    private bool _chainIsDown;
    private SeededRandom _random;

    /// <summary>Begins.</summary>
    /// <param name="world">What is struck.</param>
    /// <param name="kinds">Kinds that are wanted; none for all that can be made here.</param>
    /// <param name="seed">From which everything follows.</param>
    /// <param name="tell">Told of each.</param>
    public ChaosStrikes(ChaosWorld world, IReadOnlyList<string> kinds, ulong seed, Action<string> tell)
    {
        (_world, _random, _tell) = (world, new SeededRandom(seed, "chaos", 0), tell);
        _dealt =
        [
            .. ChaosKinds.All.Where(kind => kinds.Count == 0 || kinds.Contains(kind))
                .Where(kind => (world.Disk is not null || kind != ChaosKinds.FullDisk) && (world.Chain is not null || !ChaosKinds.OfChain.Contains(kind))),
        ];
    }

    /// <summary>Strikes of each kind.</summary>
    public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    /// <summary>What no strike may bring about: a node that ended with a wrong replica, or by our own bug.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>True if every kind that is wanted came at least once.</summary>
    public bool AllCame => _dealt.TrueForAll(Counts.ContainsKey);

    private IReadOnlyList<ChaosNode> Nodes => _world.Nodes;

    /// <summary>Seconds until the next strike.</summary>
    public double NextWait() => 2 + (4 * Unit());

    /// <summary>Makes one thing go wrong.</summary>
    public async Task StrikeAsync(CancellationToken cancellation)
    {
        if (_dealt.Count == 0)
        {
            return;
        }

        if (_next.Count == 0)
        {
            var order = _dealt.ToArray();
            for (var i = order.Length - 1; i > 0; i--)
            {
                var j = Below(i + 1);
                (order[i], order[j]) = (order[j], order[i]);
            }

            order.ToList().ForEach(_next.Enqueue);
        }

        var kind = _next.Dequeue();
        if (ChaosKinds.OfChain.Contains(kind))
        {
            await StrikeChainAsync(kind, cancellation);
        }
        else if (kind == ChaosKinds.Corrupt)
        {
            await CorruptAsync(cancellation);
        }
        else
        {
            StrikeNode(kind, Nodes[Below(Nodes.Count)]);
        }
    }

    /// <summary>A third of the peers and of the validators at the same instant.</summary>
    public void KillThird()
    {
        var peers = Nodes.Where(node => node.Role == Ledger.Role.Peer).ToList();
        var validators = Nodes.Where(node => node.Role == Ledger.Role.Validator).ToList();
        Count("kill of a third", $"{peers.Count / 3} peers and {validators.Count / 3} validators");
        foreach (var node in peers.Take(peers.Count / 3).Concat(validators.TakeLast(validators.Count / 3)))
        {
            KillFor(node, 20);
        }
    }

    /// <summary>Puts right what is due, and starts again who ended by itself.</summary>
    /// <param name="all">True to put right everything.</param>
    public async Task HealAsync(bool all)
    {
        foreach (var due in _healing.Where(due => all || due.At <= DateTimeOffset.UtcNow).ToList())
        {
            _healing.Remove(due);
            due.Heal();
        }

        if (_chainIsDown && !_healing.Any(due => due.Heal == ChainIsDue))
        {
            await _world.Chain!.UpAsync();
            _chainIsDown = false;
        }

        foreach (var node in Nodes)
        {
            if (node.Collect() is { } end && !_healing.Any(due => due.Heal.Target is Start start && start.Node == node))
            {
                _tell($"{node.Name} ended by itself: {end.Why}");
                if (end.IsFault)
                {
                    Faults.Add($"{node.Name} ended by itself: {end.Why}");
                }

                Later(2, new Start(node).Run);
            }
        }
    }

    private void StrikeNode(string kind, ChaosNode node)
    {
        Count(kind, kind == ChaosKinds.OutageOfAll ? "" : kind == ChaosKinds.FullDisk ? _world.Disk!.Node.Name : node.Name);
        switch (kind)
        {
            case ChaosKinds.Kill:
                KillFor(node, 1 + (4 * Unit()));
                break;
            case ChaosKinds.Freeze:
                node.Freeze();
                Later(3 + (12 * Unit()), node.Thaw);
                break;
            case ChaosKinds.Outage:
                node.Line.Cut();
                Later(2 + (10 * Unit()), node.Line.Heal);
                break;
            case ChaosKinds.SlowLine:
                node.Line.Slow(20_000 + (long)(100_000 * Unit()));
                Later(5 + (10 * Unit()), node.Line.Heal);
                break;
            case ChaosKinds.FullDisk:
                _world.Disk!.Fill();
                Later(2 + (6 * Unit()), _world.Disk.Free);
                break;
            default:
                Nodes.ToList().ForEach(each => each.Line.Cut());
                Later(2 + (4 * Unit()), () => Nodes.ToList().ForEach(each => each.Line.Heal()));
                break;
        }
    }

    private async Task StrikeChainAsync(string kind, CancellationToken cancellation)
    {
        var chain = _world.Chain!;
        var (seconds, depth) = (2 + (6 * Unit()), 1 + Below(LocalChain.Confirmations - 2));
        if (_chainIsDown || _healing.Any(due => due.Heal == chain.Thaw))
        {
            _next.Enqueue(kind); // it cannot be struck twice at once
            return;
        }

        try
        {
            switch (kind)
            {
                case ChaosKinds.ChainKill when await chain.KillAsync(cancellation):
                    Count(kind, $"for {seconds:F0} s");
                    _chainIsDown = true;
                    Later(seconds, ChainIsDue);
                    break;
                case ChaosKinds.ChainStall:
                    Count(kind, $"for {seconds:F0} s");
                    chain.Freeze();
                    Later(seconds, chain.Thaw);
                    break;
                case ChaosKinds.ChainReorg:
                    await chain.ReorganiseAsync(depth, cancellation);
                    Count(kind, $"{depth} blocks");
                    break;
                case ChaosKinds.ChainRevert when await chain.RevertAsync(depth, cancellation):
                    Count(kind, $"{depth} blocks");
                    break;
            }
        }
        catch (ChainFaultException fault)
        {
            // Of blocks from before it was started again Anvil does not know enough to put others in their place.
            _tell($"{kind} could not be made: {fault.Message}");
            _next.Enqueue(kind);
        }
    }

    // A name for what is waited for; starting it takes a moment, and is done by whoever heals.
    private static void ChainIsDue()
    {
    }

    private void KillFor(ChaosNode node, double seconds)
    {
        if (node.Outcome is null && node.IsRunning)
        {
            node.Kill();
            Later(seconds, new Start(node).Run);
        }
    }

    // Other bytes in the place of a fresh object: whoever reads it sees by its digest that they are not the ones.
    private async Task CorruptAsync(CancellationToken cancellation)
    {
        var keys = new List<ObjectKey>();
        await foreach (var key in _world.Bucket.ListAsync("", cancellation))
        {
            if (key.Text.Contains("/rounds/", StringComparison.Ordinal))
            {
                keys.Add(key);
            }
        }

        if (keys.Count == 0)
        {
            return;
        }

        var newest = keys.OrderBy(key => key.Text[key.Text.IndexOf("/rounds/", StringComparison.Ordinal)..], StringComparer.Ordinal).TakeLast(6).ToList();
        var chosen = newest[Below(newest.Count)];
        Count(ChaosKinds.Corrupt, chosen.Text);
        var there = await _world.Bucket.GetAsync(chosen, 1 << 28, cancellation);
        if (there.Status == FetchStatus.Found && there.Bytes.Length > 0)
        {
            there.Bytes[Below(there.Bytes.Length)] ^= 0x40;
            await _world.Bucket.PutAsync(chosen, there.Bytes, cancellation);
        }
    }

    private void Count(string kind, string what)
    {
        Counts[kind] = Counts.GetValueOrDefault(kind) + 1;
        _tell($"{kind}{(what.Length > 0 ? $": {what}" : "")}");
    }

    private void Later(double seconds, Action heal) => _healing.Add((DateTimeOffset.UtcNow.AddSeconds(seconds), heal));

    private int Below(int count) => (int)(_random.NextUInt64() % (ulong)count);

    private double Unit() => (_random.NextUInt64() >> 11) * (1.0 / (1UL << 53));

    // A class, so that a start that waits can be told from other healing.
    private sealed class Start(ChaosNode node)
    {
        public ChaosNode Node => node;

        public void Run()
        {
            if (!node.IsRunning && node.Outcome is null)
            {
                node.Start();
            }
        }
    }
}
