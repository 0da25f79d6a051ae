using System.Buffers.Binary;
using System.Numerics;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>Keccak-256 as EVM chains use it: the permutation of SHA-3 with the padding from before the standard, so that the platform's SHA3-256 gives
/// other values.</summary>
public static class Keccak
{
    private const int RateBytes = 136;
    private const int Lanes = 25;

    private static readonly ulong[] RoundConstants =
    [
        0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B, 0x0000000080000001,
        0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
        0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
        0x000000000000800A, 0x800000008000000A, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
    ];

    // The walk of ρ and π over the 24 lanes that move: how far each is turned, and where it comes to stand.
    private static readonly int[] Turns = [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
    private static readonly int[] Places = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];

    /// <summary>The hash of some bytes.</summary>
    /// <param name="bytes">Any.</param>
    /// <returns>32 bytes, as the value that names them.</returns>
    public static Digest Hash(ReadOnlySpan<byte> bytes)
    {
        Span<ulong> state = stackalloc ulong[Lanes];
        state.Clear();
        for (; bytes.Length >= RateBytes; bytes = bytes[RateBytes..])
        {
            Absorb(state, bytes);
        }

        Span<byte> last = stackalloc byte[RateBytes];
        last.Clear();
        bytes.CopyTo(last);
        last[bytes.Length] = 0x01;
        last[^1] |= 0x80;
        Absorb(state, last);
        Span<byte> hash = stackalloc byte[Digest.Size];
        for (var i = 0; i < Digest.Size / sizeof(ulong); i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(hash[(i * sizeof(ulong))..], state[i]);
        }

        return new Digest(hash);
    }

    private static void Absorb(Span<ulong> state, ReadOnlySpan<byte> block)
    {
        for (var i = 0; i < RateBytes / sizeof(ulong); i++)
        {
            state[i] ^= BinaryPrimitives.ReadUInt64LittleEndian(block[(i * sizeof(ulong))..]);
        }

        Permute(state);
    }

    private static void Permute(Span<ulong> a)
    {
        Span<ulong> c = stackalloc ulong[5];
        foreach (var constant in RoundConstants)
        {
            for (var x = 0; x < 5; x++)
            {
                c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
            }

            for (var x = 0; x < 5; x++)
            {
                var d = c[(x + 4) % 5] ^ BitOperations.RotateLeft(c[(x + 1) % 5], 1);
                for (var y = x; y < Lanes; y += 5)
                {
                    a[y] ^= d;
                }
            }

            var moved = a[1];
            for (var i = 0; i < Turns.Length; i++)
            {
                (a[Places[i]], moved) = (BitOperations.RotateLeft(moved, Turns[i]), a[Places[i]]);
            }

            for (var y = 0; y < Lanes; y += 5)
            {
                a.Slice(y, 5).CopyTo(c);
                for (var x = 0; x < 5; x++)
                {
                    a[y + x] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
                }
            }

            a[0] ^= constant;
        }
    }
}
