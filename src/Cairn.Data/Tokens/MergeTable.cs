using System.Numerics;
using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>Finds the rank of a pair of ids among the merges: the lower, the earlier it is applied.</summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that does not merge.</summary>
    public const int None = int.MaxValue;

    private struct Slot
    {
        public ulong Pair;
        public int Rank;
        public int Result;
    }

    private readonly Slot[] _slots;
    private readonly int _shift;

    /// <summary>Builds the table; of a pair that is listed twice the first counts.</summary>
    /// <param name="merges">In order of rank.</param>
    public MergeTable(ReadOnlySpan<Merge> merges)
    {
        _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)Math.Max(4 * merges.Length, 16))];
        _shift = 64 - BitOperations.Log2((uint)_slots.Length);
        Array.Fill(_slots, new Slot { Pair = ulong.MaxValue, Rank = None });
        foreach (ref readonly var merge in merges)
        {
            ref var slot = ref Locate(merge.Left, merge.Right);
            if (slot.Pair == ulong.MaxValue)
            {
                slot = new Slot { Pair = PairOf(merge.Left, merge.Right), Rank = merge.Rank, Result = merge.Result };
            }
        }
    }

    /// <summary>The rank of a pair, or <see cref="None"/>.</summary>
    /// <param name="left">An id.</param>
    /// <param name="right">The id after it.</param>
    /// <param name="result">The id of both together.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right, out int result)
    {
        ref var slot = ref Locate(left, right);
        result = slot.Result;
        return slot.Rank;
    }

    private static ulong PairOf(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Slot Locate(int left, int right)
    {
        var pair = PairOf(left, right);
        var mask = _slots.Length - 1;
        var at = (int)((pair * 0x9E37_79B9_7F4A_7C15) >> _shift);
        while (_slots[at].Pair != pair && _slots[at].Pair != ulong.MaxValue)
        {
            at = (at + 1) & mask;
        }

        return ref _slots[at];
    }
}
