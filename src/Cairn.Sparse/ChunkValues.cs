using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>From the codes of one chunk to its values: a look-up among four, eight at a time where the processor can.</summary>
internal static unsafe class ChunkValues
{
    /// <summary>Reads values.</summary>
    /// <param name="levels">Four.</param>
    /// <param name="codes">Each 0 to 3.</param>
    /// <param name="values">As many.</param>
    public static void Read(ReadOnlySpan<float> levels, ReadOnlySpan<byte> codes, Span<float> values)
    {
        Invariant.Check(levels.Length == 4 && values.Length == codes.Length);
        fixed (byte* source = codes)
        {
            fixed (float* target = values)
            {
                var i = 0;
                if (Avx2.IsSupported)
                {
                    var table = Table(levels);
                    for (; i + 8 <= codes.Length; i += 8)
                    {
                        Avx.PermuteVar(table, Avx2.ConvertToVector256Int32(source + i)).Store(target + i);
                    }
                }

                for (; i < codes.Length; i++)
                {
                    target[i] = levels[source[i]];
                }
            }
        }
    }

    /// <summary>Reads values from codes as they are packed.</summary>
    /// <param name="levels">Four.</param>
    /// <param name="packed">Exactly the bytes of so many codes.</param>
    /// <param name="bits">Of a code: 1 or 2.</param>
    /// <param name="values">As many as there are codes.</param>
    public static void ReadPacked(ReadOnlySpan<float> levels, ReadOnlySpan<byte> packed, int bits, Span<float> values)
    {
        Invariant.Check(levels.Length == 4 && packed.Length == CodePacking.Bytes(values.Length, bits));
        fixed (byte* source = packed)
        {
            fixed (float* target = values)
            {
                var i = !Avx2.IsSupported ? 0 : bits == 1 ? ReadOnes(levels, source, target, values.Length) : ReadTwos(levels, source, target, values.Length);
                for (; i < values.Length; i++)
                {
                    target[i] = levels[(source[i * bits / 8] >> (i * bits % 8)) & ((1 << bits) - 1)];
                }
            }
        }
    }

    // Each bit is moved to where a number has its sign, by which one of two is taken.
    private static int ReadOnes(ReadOnlySpan<float> levels, byte* source, float* target, int count)
    {
        var (zero, one) = (Vector256.Create(levels[0]), Vector256.Create(levels[1]));
        var shifts = Vector256.Create(31U, 30, 29, 28, 27, 26, 25, 24);
        var (shifts1, shifts2, shifts3) = (shifts - Vector256.Create(8U), shifts - Vector256.Create(16U), shifts - Vector256.Create(24U));
        var i = 0;
        for (; i + 32 <= count; i += 32)
        {
            var word = Vector256.Create(Little.UInt32(source + (i / 8)));
            Avx.BlendVariable(zero, one, Avx2.ShiftLeftLogicalVariable(word, shifts).AsSingle()).Store(target + i);
            Avx.BlendVariable(zero, one, Avx2.ShiftLeftLogicalVariable(word, shifts1).AsSingle()).Store(target + i + 8);
            Avx.BlendVariable(zero, one, Avx2.ShiftLeftLogicalVariable(word, shifts2).AsSingle()).Store(target + i + 16);
            Avx.BlendVariable(zero, one, Avx2.ShiftLeftLogicalVariable(word, shifts3).AsSingle()).Store(target + i + 24);
        }

        return i;
    }

    // The two lowest bits of each choose among four.
    private static int ReadTwos(ReadOnlySpan<float> levels, byte* source, float* target, int count)
    {
        var table = Table(levels);
        var shifts = Vector256.Create(0U, 2, 4, 6, 8, 10, 12, 14);
        var shifts1 = shifts + Vector256.Create(16U);
        var i = 0;
        for (; i + 16 <= count; i += 16)
        {
            var word = Vector256.Create(Little.UInt32(source + (i / 4)));
            Avx.PermuteVar(table, Avx2.ShiftRightLogicalVariable(word, shifts).AsInt32()).Store(target + i);
            Avx.PermuteVar(table, Avx2.ShiftRightLogicalVariable(word, shifts1).AsInt32()).Store(target + i + 8);
        }

        return i;
    }

    private static Vector256<float> Table(ReadOnlySpan<float> levels)
    {
        var four = Vector128.Create(levels);
        return Vector256.Create(four, four);
    }
}
