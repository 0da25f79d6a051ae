using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>The order in which a run's samples are issued, without a ledger: epoch after epoch, each its own permutation; where the run anneals, from its place on the
/// epochs of the annealing part. The same order that a swarm without losses trains in, so that a baseline sees the same samples.</summary>
internal sealed class EpochOrder
{
    private readonly IReadOnlyList<SamplePart> _parts;
    private readonly ulong _seed;
    private readonly long _switch;
    private (int Part, long Epoch) _at = (-1, -1);
    private SeededPermutation _order;

    /// <summary>The order of samples that are all alike.</summary>
    public EpochOrder(long samples, ulong seed)
    {
        (_parts, _seed, _switch) = ([SamplePart.Main(samples)], seed, long.MaxValue);
    }

    /// <summary>The order of a run in which every peer takes part in every round.</summary>
    public EpochOrder(RunRules rules)
    {
        (_parts, _seed) = (rules.ToLedgerRules().SampleParts(), rules.Seed);
        _switch = rules.Anneal is { } anneal ? (long)anneal.FromStep * rules.SamplesPerPeer * rules.PeersMax : long.MaxValue;
    }

    /// <summary>The sample at a place of the endless order.</summary>
    public long At(long place)
    {
        var index = place < _switch ? 0 : 1;
        var (part, within) = (_parts[index], index == 0 ? place : place - _switch);
        if (_at != (index, within / part.Count))
        {
            _at = (index, within / part.Count);
            _order = part.OrderOf(_seed, _at.Epoch);
        }

        return part.First + _order.At(within % part.Count);
    }
}
