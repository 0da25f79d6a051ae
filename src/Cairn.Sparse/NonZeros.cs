using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Sparse;

/// <summary>Picks what is not zero out of a dense chunk: eight numbers at a time, without a branch that depends on them.</summary>
internal static unsafe class NonZeros
{
    /// <summary>How many more than were found may be written.</summary>
    public const int Surplus = 8;

    // For each of 256 masks: the places of its ones, one to a byte, then zeros.
    private static readonly ulong[] PlacesOf = MakePlaces();

    /// <summary>Reads a chunk.</summary>
    /// <param name="chunk">Its first element.</param>
    /// <param name="shape">How many rows and columns it has.</param>
    /// <param name="stride">Elements from one row to the next.</param>
    /// <param name="places">Receives the places within the chunk: room for all and <see cref="Surplus"/> more.</param>
    /// <param name="values">Receives as many values; likewise.</param>
    /// <returns>How many there are.</returns>
    public static int Read(float* chunk, ChunkShape shape, int stride, ushort* places, float* values)
    {
        var count = 0;
        fixed (ulong* placesOf = PlacesOf)
        {
            for (var row = 0; row < shape.Rows; row++, chunk += stride)
            {
                var (col, place) = (0, row * shape.Cols);
                for (; col + 8 <= shape.Cols; col += 8)
                {
                    var eight = Vector256.Load(chunk + col);
                    var mask = Vector256.Equals(eight, Vector256<float>.Zero).ExtractMostSignificantBits() ^ 0xFF;
                    var found = Vector128.CreateScalar(placesOf[mask]).AsByte();
                    (Vector128.WidenLower(found) + Vector128.Create((ushort)(place + col))).Store(places + count);
                    if (Avx2.IsSupported)
                    {
                        Avx2.PermuteVar8x32(eight, Avx2.ConvertToVector256Int32(found)).Store(values + count);
                    }
                    else
                    {
                        CopyEach(chunk + col, mask, values + count);
                    }

                    count += BitOperations.PopCount(mask);
                }

                for (; col < shape.Cols; col++)
                {
                    (places[count], values[count]) = ((ushort)(place + col), chunk[col]);
                    count += chunk[col] != 0 ? 1 : 0;
                }
            }
        }

        return count;
    }

    private static void CopyEach(float* eight, uint mask, float* values)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            *values++ = eight[BitOperations.TrailingZeroCount(mask)];
        }
    }

    private static ulong[] MakePlaces()
    {
        var table = new ulong[256];
        for (var mask = 0; mask < table.Length; mask++)
        {
            var found = 0;
            for (var bit = 0; bit < 8; bit++)
            {
                if (((mask >> bit) & 1) != 0)
                {
                    table[mask] |= (ulong)bit << (8 * found++);
                }
            }
        }

        return table;
    }
}
