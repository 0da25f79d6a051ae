using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Cli.Chaos;

/// <summary>What goes wrong: from the seed, one thing after another, each put right after a while.</summary>
internal sealed class ChaosStrikes
{
    private readonly IReadOnlyList<ChaosNode> _nodes;
    private readonly IObjectStore _bucket;
    private readonly SmallDisk? _disk;
    private readonly Action<string> _tell;
    private readonly List<(DateTimeOffset At, Action Heal)> _healing = [];
    private SeededRandom _random;

    public ChaosStrikes(IReadOnlyList<ChaosNode> nodes, IObjectStore bucket, SmallDisk? disk, ulong seed, Action<string> tell) =>
        (_nodes, _bucket, _disk, _random, _tell) = (nodes, bucket, disk, new SeededRandom(seed, "chaos", 0), tell);

    /// <summary>Strikes of each kind.</summary>
    public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    /// <summary>What no strike may bring about: a node that ended with a wrong replica, or by our own bug.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Seconds until the next strike.</summary>
    public double NextWait() => 2 + (4 * Unit());

    /// <summary>Makes one thing go wrong.</summary>
    public async Task StrikeAsync(CancellationToken cancellation)
    {
        var node = _nodes[Below(_nodes.Count)];
        switch (Below(7))
        {
            case 0 or 1:
                Count("kill", node.Name);
                KillFor(node, 1 + (4 * Unit()));
                break;
            case 2:
                Count("freeze", node.Name);
                node.Freeze();
                Later(3 + (12 * Unit()), node.Thaw);
                break;
            case 3:
                Count("outage", node.Name);
                node.Line.Cut();
                Later(2 + (10 * Unit()), node.Line.Heal);
                break;
            case 4:
                Count("slow line", node.Name);
                node.Line.Slow(20_000 + (long)(100_000 * Unit()));
                Later(5 + (10 * Unit()), node.Line.Heal);
                break;
            case 5:
                await CorruptAsync(cancellation);
                break;
            case 6 when _disk is not null:
                Count("full disk", _disk.Node.Name);
                _disk.Fill();
                Later(2 + (6 * Unit()), _disk.Free);
                break;
            default:
                Count("outage of all", "");
                _nodes.ToList().ForEach(each => each.Line.Cut());
                Later(2 + (4 * Unit()), () => _nodes.ToList().ForEach(each => each.Line.Heal()));
                break;
        }
    }

    /// <summary>A third of the peers and of the validators at the same instant.</summary>
    public void KillThird()
    {
        var peers = _nodes.Where(node => node.Role == Ledger.Role.Peer).ToList();
        var validators = _nodes.Where(node => node.Role == Ledger.Role.Validator).ToList();
        Count("kill of a third", $"{peers.Count / 3} peers and {validators.Count / 3} validators");
        foreach (var node in peers.Take(peers.Count / 3).Concat(validators.TakeLast(validators.Count / 3)))
        {
            KillFor(node, 20);
        }
    }

    /// <summary>Puts right what is due, and starts again who ended by itself.</summary>
    /// <returns>True if nothing more is to be put right.</returns>
    public bool Heal(bool all)
    {
        foreach (var due in _healing.Where(due => all || due.At <= DateTimeOffset.UtcNow).ToList())
        {
            _healing.Remove(due);
            due.Heal();
        }

        foreach (var node in _nodes)
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

        return _healing.Count == 0;
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
        await foreach (var key in _bucket.ListAsync("", cancellation))
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
        Count("corrupt object", chosen.Text);
        var there = await _bucket.GetAsync(chosen, 1 << 28, cancellation);
        if (there.Status == FetchStatus.Found && there.Bytes.Length > 0)
        {
            there.Bytes[Below(there.Bytes.Length)] ^= 0x40;
            await _bucket.PutAsync(chosen, there.Bytes, cancellation);
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
