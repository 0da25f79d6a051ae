using Cairn.Base;

namespace Cairn.Node;

/// <summary>The order in which a run's samples are issued, without a ledger: epoch after epoch, each its own permutation. The same order that a swarm
/// without losses trains in, so that a baseline sees the same samples.</summary>
internal sealed class EpochOrder(long samples, ulong seed)
{
    private long _epoch = -1;
    private SeededPermutation _order;

    /// <summary>The sample at a place of the endless order.</summary>
    public long At(long place)
    {
        if (place / samples != _epoch)
        {
            _epoch = place / samples;
            _order = new SeededPermutation(samples, seed, "epoch", _epoch);
        }

        return _order.At(place % samples);
    }
}
