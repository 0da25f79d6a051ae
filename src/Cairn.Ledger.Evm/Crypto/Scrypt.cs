using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>scrypt (RFC 7914): a key from a passphrase, by a way that takes memory as well as time.</summary>
internal static class Scrypt
{
    /// <summary>The most memory that a file may make this machine use.</summary>
    public const long BytesMax = 1L << 30;

    private const int BlockWords = 16;

    /// <summary>True if the numbers are allowed, and neither memory nor time without end.</summary>
    public static bool Takes(long n, long r, long p) =>
        n is > 1 and <= 1 << 24 && BitOperations.IsPow2(n) && r is > 0 and <= 64 && p is > 0 and <= 64 && n * r * 128 <= BytesMax && n * r * p <= 1 << 25;

    /// <summary>Derives a key.</summary>
    /// <param name="passphrase">Its bytes.</param>
    /// <param name="salt">Any.</param>
    /// <param name="n">Cost in memory and time: a power of two.</param>
    /// <param name="r">Size of a block.</param>
    /// <param name="p">How often the whole is done.</param>
    /// <param name="length">Bytes of the key.</param>
    public static byte[] Derive(byte[] passphrase, byte[] salt, int n, int r, int p, int length)
    {
        Invariant.Check(Takes(n, r, p));
        var size = 128 * r;
        var blocks = Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, 1, HashAlgorithmName.SHA256, p * size);
        var words = new uint[32 * r];
        var memory = new uint[(long)n * 32 * r];
        for (var i = 0; i < p; i++)
        {
            var block = blocks.AsSpan(i * size, size);
            Read(block, words);
            Mix(words, memory, n);
            Write(words, block);
        }

        return Rfc2898DeriveBytes.Pbkdf2(passphrase, blocks, 1, HashAlgorithmName.SHA256, length);
    }

    private static void Mix(uint[] x, uint[] memory, int n)
    {
        var scratch = new uint[x.Length];
        for (var i = 0; i < n; i++)
        {
            x.CopyTo(memory.AsSpan(i * x.Length));
            MixBlocks(x, scratch);
        }

        for (var i = 0; i < n; i++)
        {
            var j = (int)(x[^BlockWords] & (uint)(n - 1));
            var there = memory.AsSpan(j * x.Length, x.Length);
            for (var k = 0; k < x.Length; k++)
            {
                x[k] ^= there[k];
            }

            MixBlocks(x, scratch);
        }
    }

    // Each block after the one before it; those at even places come first.
    private static void MixBlocks(uint[] x, uint[] scratch)
    {
        Span<uint> last = stackalloc uint[BlockWords];
        x.AsSpan(x.Length - BlockWords).CopyTo(last);
        var blocks = x.Length / BlockWords;
        for (var i = 0; i < blocks; i++)
        {
            for (var k = 0; k < BlockWords; k++)
            {
                last[k] ^= x[(i * BlockWords) + k];
            }

            Salsa(last);
            last.CopyTo(scratch.AsSpan(((i / 2) + (i % 2 * (blocks / 2))) * BlockWords));
        }

        scratch.CopyTo(x, 0);
    }

    private static void Salsa(Span<uint> block)
    {
        Span<uint> x = stackalloc uint[BlockWords];
        block.CopyTo(x);
        for (var round = 0; round < 4; round++)
        {
            Quarter(x, 0, 4, 8, 12);
            Quarter(x, 5, 9, 13, 1);
            Quarter(x, 10, 14, 2, 6);
            Quarter(x, 15, 3, 7, 11);
            Quarter(x, 0, 1, 2, 3);
            Quarter(x, 5, 6, 7, 4);
            Quarter(x, 10, 11, 8, 9);
            Quarter(x, 15, 12, 13, 14);
        }

        for (var i = 0; i < BlockWords; i++)
        {
            block[i] += x[i];
        }
    }

    private static void Quarter(Span<uint> x, int a, int b, int c, int d)
    {
        x[b] ^= BitOperations.RotateLeft(x[a] + x[d], 7);
        x[c] ^= BitOperations.RotateLeft(x[b] + x[a], 9);
        x[d] ^= BitOperations.RotateLeft(x[c] + x[b], 13);
        x[a] ^= BitOperations.RotateLeft(x[d] + x[c], 18);
    }

    private static void Read(ReadOnlySpan<byte> bytes, Span<uint> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(i * sizeof(uint))..]);
        }
    }

    private static void Write(ReadOnlySpan<uint> words, Span<byte> bytes)
    {
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[(i * sizeof(uint))..], words[i]);
        }
    }
}
