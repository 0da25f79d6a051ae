using System.Numerics;
using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>A set of byte strings, numbered from 0 in the order in which they were first seen.</summary>
internal sealed class WordTable
{
    private struct Entry
    {
        public ulong Hash;
        public int Offset;
        public int Length;
    }

    private int[] _slots = new int[1 << 12];
    private Entry[] _entries = new Entry[1 << 11];
    private byte[] _bytes = new byte[1 << 14];
    private int _bytesUsed;

    /// <summary>How many strings are in the set.</summary>
    public int Count { get; private set; }

    /// <summary>A string by its number; valid until the next is added.</summary>
    /// <param name="index">0 to <see cref="Count"/> − 1.</param>
    public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan(_entries[index].Offset, _entries[index].Length);

    /// <summary>The number of a string, or −1.</summary>
    /// <param name="word">Any bytes.</param>
    /// <param name="hash"><see cref="WordHash.Of"/> of it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Find(ReadOnlySpan<byte> word, ulong hash)
    {
        var mask = _slots.Length - 1;
        for (var slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            var index = _slots[slot] - 1;
            if (index < 0)
            {
                return -1;
            }

            ref var entry = ref _entries[index];
            if (entry.Hash == hash && word.SequenceEqual(_bytes.AsSpan(entry.Offset, entry.Length)))
            {
                return index;
            }
        }
    }

    /// <summary>Adds a string that is not in the set.</summary>
    /// <param name="word">Any bytes.</param>
    /// <param name="hash"><see cref="WordHash.Of"/> of it.</param>
    /// <returns>Its number.</returns>
    public int Add(ReadOnlySpan<byte> word, ulong hash)
    {
        if (2 * (Count + 1) > _slots.Length)
        {
            Grow();
        }

        if (_bytesUsed + word.Length > _bytes.Length)
        {
            var needed = Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, (long)_bytesUsed + word.Length));
            Array.Resize(ref _bytes, (int)needed);
        }

        word.CopyTo(_bytes.AsSpan(_bytesUsed));
        _entries[Count] = new Entry { Hash = hash, Offset = _bytesUsed, Length = word.Length };
        _bytesUsed += word.Length;
        Place(hash, Count);
        return Count++;
    }

    private void Grow()
    {
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)(4 * (Count + 1)))];
        Array.Resize(ref _entries, _slots.Length / 2);
        for (var index = 0; index < Count; index++)
        {
            Place(_entries[index].Hash, index);
        }
    }

    private void Place(ulong hash, int index)
    {
        var mask = _slots.Length - 1;
        var slot = (int)hash & mask;
        while (_slots[slot] != 0)
        {
            slot = (slot + 1) & mask;
        }

        _slots[slot] = index + 1;
    }
}
