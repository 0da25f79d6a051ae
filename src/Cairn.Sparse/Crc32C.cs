using System.Numerics;
using System.Runtime.InteropServices;

namespace Cairn.Sparse;

/// <summary>CRC-32C (Castagnoli) as iSCSI has it: all ones before and after. The sum of sections and headers.</summary>
internal static class Crc32C
{
    private const int PieceBytes = 512;
    private const int PieceWords = PieceBytes / sizeof(ulong);
    private static readonly uint[] PastPiece = MakePastPiece();

    /// <summary>What a run of bytes begins with.</summary>
    public const uint Begin = uint.MaxValue;

    /// <summary>The sum of bytes that lie in one run.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => End(Append(Begin, bytes));

    /// <summary>Takes more bytes in.</summary>
    /// <param name="state"><see cref="Begin"/>, or what the last call gave.</param>
    /// <param name="bytes">Any number.</param>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        // Three pieces side by side, for each step of one waits for the step before; then the first sums move past the bytes of the later ones.
        for (; bytes.Length >= 3 * PieceBytes; bytes = bytes[(3 * PieceBytes)..])
        {
            var words3 = MemoryMarshal.Cast<byte, ulong>(bytes[..(3 * PieceBytes)]);
            var first = words3[..PieceWords];
            var second = words3.Slice(PieceWords, PieceWords);
            var third = words3.Slice(2 * PieceWords, PieceWords);
            var (a, b, c) = (state, 0U, 0U);
            for (var i = 0; i < first.Length; i++)
            {
                a = BitOperations.Crc32C(a, first[i]);
                b = BitOperations.Crc32C(b, second[i]);
                c = BitOperations.Crc32C(c, third[i]);
            }

            state = Past(Past(a) ^ b) ^ c;
        }

        return AppendInTurn(state, bytes);
    }

    /// <summary>The sum of all that was taken in.</summary>
    public static uint End(uint state) => ~state;

    private static uint AppendInTurn(uint state, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            state = BitOperations.Crc32C(state, word);
        }

        foreach (var one in bytes[(8 * words.Length)..])
        {
            state = BitOperations.Crc32C(state, one);
        }

        return state;
    }

    // What a state becomes by a piece of zeros: the sum of what its four bytes become.
    private static uint Past(uint state) =>
        PastPiece[(byte)state] ^ PastPiece[256 + (byte)(state >> 8)] ^ PastPiece[512 + (byte)(state >> 16)] ^ PastPiece[768 + (int)(state >> 24)];

    private static uint[] MakePastPiece()
    {
        var table = new uint[4 * 256];
        var zeros = new byte[PieceBytes];
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = AppendInTurn((uint)(i & 255) << (8 * (i >> 8)), zeros);
        }

        return table;
    }
}
