using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>Rounds lines of a matrix to bf16 and packs them into panels: as <see cref="PanelPacking"/>, with pairs of k as the elements.</summary>
internal static unsafe class Bf16Packing
{
    private static readonly Vector512<int> EvenLanes = Vector512<int>.Indices * 2;

    /// <summary>Words of scratch that <see cref="Pack"/> needs.</summary>
    internal static int ScratchLength(int lines, int k) => lines * Pairs(k);

    /// <summary>Pairs of k; an odd last one is completed by zero.</summary>
    internal static int Pairs(int k) => (k + 1) / 2;

    /// <summary>Fills ⌈lines / width⌉ panels of width·pairs words each.</summary>
    /// <param name="source">Element (0, 0) is the first.</param>
    /// <param name="lines">At least 1.</param>
    /// <param name="k">At least 1.</param>
    /// <param name="width">Lines of a panel.</param>
    /// <param name="panels">Receives the panels.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> words.</param>
    internal static void Pack(MatrixView source, int lines, int k, int width, uint* panels, uint* scratch)
    {
        var pairs = Pairs(k);
        if (source.Line == 1)
        {
            for (var pair = 0; pair < pairs; pair++)
            {
                var early = source.Pointer + (2 * pair * source.Step);
                var late = (2 * pair) + 1 < k ? early + source.Step : null;
                PairOfSteps(early, late, lines, scratch + ((nint)pair * lines));
            }

            PanelPacking.Pack(new MatrixView((float*)scratch, 1, lines), lines, pairs, width, (float*)panels);
            return;
        }

        for (var line = 0; line < lines; line++)
        {
            LineOfPairs(source.Pointer + (line * source.Line), k, scratch + ((nint)line * pairs));
        }

        PanelPacking.Pack(new MatrixView((float*)scratch, pairs, 1), lines, pairs, width, (float*)panels);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LineOfPairs(float* line, int k, uint* words)
    {
        var even = EvenLanes;
        var odd = even + Vector512<int>.One;
        var i = 0;
        for (; i + 32 <= k; i += 32)
        {
            var first = Vector512.Load((int*)line + i);
            var second = Vector512.Load((int*)line + i + 16);
            var early = Avx512F.PermuteVar16x32x2(first, even, second).AsUInt32();
            var late = Avx512F.PermuteVar16x32x2(first, odd, second).AsUInt32();
            Words(early, late).Store(words + (i / 2));
        }

        for (; i < k; i += 2)
        {
            words[i / 2] = Bf16.Pair(line[i], i + 1 < k ? line[i + 1] : 0f);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PairOfSteps(float* early, float* late, int lines, uint* words)
    {
        var i = 0;
        for (; i + 16 <= lines; i += 16)
        {
            Words(Vector512.Load((uint*)early + i), late == null ? Vector512<uint>.Zero : Vector512.Load((uint*)late + i)).Store(words + i);
        }

        for (; i < lines; i++)
        {
            words[i] = Bf16.Pair(early[i], late == null ? 0f : late[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Words(Vector512<uint> early, Vector512<uint> late) =>
        (Rounded(early) >>> 16) | (Rounded(late) & Vector512.Create(0xFFFF0000u));

    /// <summary>Ties to even in the upper half. A not-a-number keeps its own upper half, made quiet: adding could turn it into zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Rounded(Vector512<uint> bits)
    {
        var rounded = bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One);
        var sound = Vector512.Equals(bits.AsSingle(), bits.AsSingle()).AsUInt32();
        return Vector512.ConditionalSelect(sound, rounded, bits | Vector512.Create(0x400000u));
    }
}
