using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>How a read of an object ended.</summary>
internal enum ReadOutcome
{
    /// <summary>The bytes are what the name says.</summary>
    Intact,

    /// <summary>Nothing is there, or the reader cannot reach it.</summary>
    Missing,

    /// <summary>The bytes are not what the name says.</summary>
    Damaged,
}

/// <summary>The object store, with objects that come late, get lost, or are read with damage; and the validators that hold what they accepted.</summary>
internal sealed class SimStore(World world)
{
    private readonly Dictionary<Digest, Item> _items = [];
    private readonly Dictionary<Digest, Decoded> _decoded = [];
    private readonly SortedDictionary<int, (ModelPoint Point, Digest Name)> _checkpoints = [];

    /// <summary>True as long as no object was ever lost or late and no read is damaged: then nobody need look at each.</summary>
    public bool Plain { get; private set; } = world.Scenario.Faults is { CorruptPerMille: 0, TruncatedPerMille: 0 };

    /// <summary>Puts an object under the digest of its bytes.</summary>
    public Digest Put(byte[] bytes)
    {
        var name = Digest.Of(bytes);
        if (_items.ContainsKey(name))
        {
            return name;
        }

        var item = new Item(bytes) { From = world.Heap.Now, To = long.MaxValue };
        if (world.Faulty && world.Strikes(world.Scenario.Faults.LostPerMille))
        {
            item = item with { To = world.Heap.Now + world.Fault(0, 4_000) };
            Plain = false;
            world.Reach(Probe.ObjectLost);
        }

        if (world.Faulty && world.Strikes(world.Scenario.Faults.SlowObjectPerMille))
        {
            item = item with { From = world.Heap.Now + world.Fault(500, 10_000) };
            Plain = false;
        }

        _items.Add(name, item);
        return name;
    }

    /// <summary>Takes note that a validator has the bytes and serves them.</summary>
    public void Hold(Digest name, SimNode validator) => _items[name].Holders.Add(validator);

    /// <summary>Reads an object as one reader sees it now.</summary>
    public ReadOutcome Read(Digest name, SimNode reader)
    {
        if (reader.CutOff || !_items.TryGetValue(name, out var item))
        {
            return ReadOutcome.Missing;
        }

        var there = world.Heap.Now >= item.From && world.Heap.Now < item.To;
        if (!there)
        {
            var served = item.Holders.Exists(holder => holder.Alive && !holder.CutOff);
            world.Reach(Probe.ServedByValidator, served);
            return served ? ReadOutcome.Intact : ReadOutcome.Missing;
        }

        if (world.Faulty && Damage(item.Bytes) is { } damaged)
        {
            world.Reach(Probe.CorruptRead);
            Must.Hold(Digest.Of(damaged) != name, "digest", "damaged bytes have the digest of whole ones");
            return ReadOutcome.Damaged;
        }

        return ReadOutcome.Intact;
    }

    /// <summary>What an intact object holds; decoded once for all readers.</summary>
    public Decoded Open(Digest name)
    {
        if (!_decoded.TryGetValue(name, out var decoded))
        {
            world.Objective.TryRead(_items[name].Bytes, out var move, out var why);
            _decoded.Add(name, decoded = new Decoded(move, why));
        }

        return decoded;
    }

    /// <summary>How long an object is; its reader knows before it reads.</summary>
    public int SizeOf(Digest name) => _items.TryGetValue(name, out var item) ? item.Bytes.Length : 0;

    /// <summary>Publishes the base after a round.</summary>
    public void Publish(Round round, Replicated held) => _checkpoints.TryAdd(round.Number, (held.Point, held.Digest));

    /// <summary>A checkpoint as it is read: the name says what it should be.</summary>
    public Replicated? Checkpoint(Round round, bool damaged) => !_checkpoints.TryGetValue(round.Number, out var found) ? null
        : damaged ? new Replicated(found.Point, Digest.Of("simulation/damaged", found.Name.ToArray()))
        : new Replicated(found.Point, found.Name);

    private byte[]? Damage(byte[] bytes)
    {
        if (world.Strikes(world.Scenario.Faults.CorruptPerMille))
        {
            byte[] other = [.. bytes];
            other[world.Fault(0, other.Length - 1)] ^= 1;
            return other;
        }

        return world.Strikes(world.Scenario.Faults.TruncatedPerMille) ? bytes[..(int)world.Fault(0, bytes.Length - 1)] : null;
    }

    /// <summary>What lies in an object: an update, or why it is none.</summary>
    internal sealed record Decoded(SparseMove? Move, Rejection Why);

    private sealed record Item(byte[] Bytes)
    {
        public long From { get; init; }

        public long To { get; init; }

        public List<SimNode> Holders { get; } = [];
    }
}
