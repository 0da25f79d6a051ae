using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>From the codes of one chunk to its values: a look-up among four, eight at a time where the processor can.</summary>
internal static class ChunkValues
{
    /// <summary>Reads values.</summary>
    /// <param name="levels">Four.</param>
    /// <param name="codes">Each 0 to 3.</param>
    /// <param name="values">As many.</param>
    public static void Read(ReadOnlySpan<float> levels, ReadOnlySpan<byte> codes, Span<float> values)
    {
        Invariant.Check(levels.Length == 4 && values.Length == codes.Length);
        var i = 0;
        if (Avx2.IsSupported)
        {
            var four = Vector128.Create(levels);
            var table = Vector256.Create(four, four);
            ref var source = ref MemoryMarshal.GetReference(codes);
            for (; i + 8 <= codes.Length; i += 8)
            {
                var eight = Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, i))).AsByte();
                Avx.PermuteVar(table, Avx2.ConvertToVector256Int32(eight)).CopyTo(values[i..]);
            }
        }

        for (; i < codes.Length; i++)
        {
            values[i] = levels[codes[i]];
        }
    }
}
