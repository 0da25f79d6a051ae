using System.Buffers.Binary;

namespace Cairn.Sparse;

/// <summary>The published form of places, 12 bits each without gaps: what ours are measured against.</summary>
/// <remarks>Two indices a, b take three bytes: the low 8 bits of a; the high 4 bits of a below the low 4 bits of b; the high 8 bits of b
/// (Covenant-72B, pack_12bit_indices). Of an odd run the last index takes two bytes: its low 8 bits, then its high 4 bits below four zero bits (the
/// reference refuses odd runs).</remarks>
public static class PublishedPacking
{
    /// <summary>Bytes of a packed run of indices.</summary>
    /// <param name="count">Indices.</param>
    public static int IndexBytes(int count) => checked((int)(((count * 3L) + 1) / 2));

    /// <summary>Packs indices.</summary>
    /// <param name="indices">Each below 4096.</param>
    /// <param name="packed">Exactly IndexBytes(indices.Length), overwritten.</param>
    public static void PackIndices(ReadOnlySpan<ushort> indices, Span<byte> packed)
    {
        Base.Invariant.Check(packed.Length == IndexBytes(indices.Length));
        var (i, at, all) = (0, 0, 0);
        // Four at a time as one 8-byte store, while two bytes beyond the six may still be overwritten.
        for (; i + 4 <= indices.Length && at + 8 <= packed.Length; i += 4, at += 6)
        {
            var four = indices[i] | ((ulong)indices[i + 1] << 12) | ((ulong)indices[i + 2] << 24) | ((ulong)indices[i + 3] << 36);
            BinaryPrimitives.WriteUInt64LittleEndian(packed[at..], four);
            all |= indices[i] | indices[i + 1] | indices[i + 2] | indices[i + 3];
        }

        for (; i + 2 <= indices.Length; i += 2, at += 3)
        {
            var pair = indices[i] | ((uint)indices[i + 1] << 12);
            packed[at] = (byte)pair;
            packed[at + 1] = (byte)(pair >> 8);
            packed[at + 2] = (byte)(pair >> 16);
            all |= indices[i] | indices[i + 1];
        }

        if (i < indices.Length)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(packed[at..], indices[i]);
            all |= indices[i];
        }

        Base.Invariant.Check(all < 4096);
    }

    /// <summary>Unpacks indices; any bytes are readable.</summary>
    /// <param name="packed">Exactly IndexBytes(indices.Length).</param>
    /// <param name="indices">Overwritten, each below 4096.</param>
    /// <returns>False if a filling bit is set.</returns>
    public static bool UnpackIndices(ReadOnlySpan<byte> packed, Span<ushort> indices)
    {
        Base.Invariant.Check(packed.Length == IndexBytes(indices.Length));
        var (i, at) = (0, 0);
        for (; i + 4 <= indices.Length && at + 8 <= packed.Length; i += 4, at += 6)
        {
            var four = BinaryPrimitives.ReadUInt64LittleEndian(packed[at..]);
            indices[i] = (ushort)(four & 4095);
            indices[i + 1] = (ushort)((four >> 12) & 4095);
            indices[i + 2] = (ushort)((four >> 24) & 4095);
            indices[i + 3] = (ushort)((four >> 36) & 4095);
        }

        for (; i + 2 <= indices.Length; i += 2, at += 3)
        {
            var pair = packed[at] | ((uint)packed[at + 1] << 8) | ((uint)packed[at + 2] << 16);
            indices[i] = (ushort)(pair & 4095);
            indices[i + 1] = (ushort)(pair >> 12);
        }

        if (i < indices.Length)
        {
            var last = BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]);
            indices[i] = (ushort)(last & 4095);
            return last < 4096;
        }

        return true;
    }
}
