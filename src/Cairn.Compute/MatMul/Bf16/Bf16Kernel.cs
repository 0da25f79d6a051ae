using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Compute;

/// <summary>The emitted bf16 micro-kernels, if this process can have them.</summary>
internal sealed unsafe class Bf16Kernel
{
    private const int MiddleRows = 8;
    private const int LowRows = 4;
    private const int CodeBytesMax = 2048;

    private readonly delegate* unmanaged[SuppressGCTransition]<nint, uint*, uint*, float*, nint, int, void> _full, _middle, _low;

    private Bf16Kernel(byte* full, byte* middle, byte* low)
    {
        _full = (delegate* unmanaged[SuppressGCTransition]<nint, uint*, uint*, float*, nint, int, void>)full;
        _middle = (delegate* unmanaged[SuppressGCTransition]<nint, uint*, uint*, float*, nint, int, void>)middle;
        _low = (delegate* unmanaged[SuppressGCTransition]<nint, uint*, uint*, float*, nint, int, void>)low;
    }

    /// <summary>The kernels of this process; null where the processor, the system or the self-test says no.</summary>
    internal static Bf16Kernel? Instance { get; } = TryCreate();

    /// <summary>The lowest tile that holds that many rows.</summary>
    internal static int Height(int rows) => rows > MiddleRows ? Bf16KernelCode.RowsMax : rows > LowRows ? MiddleRows : LowRows;

    /// <summary>C tile (added to when <paramref name="accumulate"/>) = packed A · packed B.</summary>
    /// <param name="height">A value of <see cref="Height"/>: rows of the tile and of the panel of A.</param>
    /// <param name="pairs">Pairs of k; at least 1.</param>
    /// <param name="a">pairs × height words.</param>
    /// <param name="b">pairs × 32 words.</param>
    /// <param name="c">First element.</param>
    /// <param name="cRow">Floats between rows of C.</param>
    /// <param name="accumulate">Whether C is added to.</param>
    internal void Run(int height, int pairs, uint* a, uint* b, float* c, nint cRow, bool accumulate)
    {
        var kernel = height == Bf16KernelCode.RowsMax ? _full : height == MiddleRows ? _middle : _low;
        kernel(pairs, a, b, c, cRow * sizeof(float), accumulate ? 1 : 0);
    }

    private static Bf16Kernel? TryCreate()
    {
        if (!HasInstruction())
        {
            return null;
        }

        var code = new byte[3 * CodeBytesMax];
        Bf16KernelCode.Write(Bf16KernelCode.RowsMax, code);
        Bf16KernelCode.Write(MiddleRows, code.AsSpan(CodeBytesMax));
        Bf16KernelCode.Write(LowRows, code.AsSpan(2 * CodeBytesMax));
        var page = ExecutablePage.TryMap(code);
        if (page == null)
        {
            return null;
        }

        var kernel = new Bf16Kernel(page, page + CodeBytesMax, page + (2 * CodeBytesMax));
        return kernel.PassesSelfTest() ? kernel : null;
    }

    // CPUID leaf 7, sub-leaf 1, EAX bit 5: AVX512_BF16. That the system saves the wide registers is what the other checks tell.
    private static bool HasInstruction() =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx512BW.IsSupported
        && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>Small integers, whose sums are exact in any order, against a product in C#: a wrong byte of code cannot pass unseen.</summary>
    private bool PassesSelfTest()
    {
        const int Pairs = 7;
        var a = stackalloc uint[Pairs * Bf16KernelCode.RowsMax];
        var b = stackalloc uint[Pairs * Bf16KernelCode.Columns];
        var c = stackalloc float[Bf16KernelCode.RowsMax * Bf16KernelCode.Columns];
        var random = new SeededRandom(1, "bf16/self-test");
        foreach (var height in (ReadOnlySpan<int>)[Bf16KernelCode.RowsMax, MiddleRows, LowRows])
        {
            FillIntegers(ref random, a, Pairs * height);
            FillIntegers(ref random, b, Pairs * Bf16KernelCode.Columns);
            Run(height, Pairs, a, b, c, Bf16KernelCode.Columns, accumulate: false);
            Run(height, Pairs, a, b, c, Bf16KernelCode.Columns, accumulate: true);
            for (var i = 0; i < height * Bf16KernelCode.Columns; i++)
            {
                if (c[i] != 2 * Dot(a + (i / Bf16KernelCode.Columns), height, b + (i % Bf16KernelCode.Columns), Pairs))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static void FillIntegers(ref SeededRandom random, uint* words, int count)
    {
        for (var i = 0; i < count; i++)
        {
            words[i] = Bf16.Pair(random.NextBelow(33) - 16, random.NextBelow(33) - 16);
        }
    }

    private static float Dot(uint* a, int aStep, uint* b, int pairs)
    {
        var sum = 0f;
        for (var pair = 0; pair < pairs; pair++, a += aStep, b += Bf16KernelCode.Columns)
        {
            sum += Bf16.Widen((ushort)*a) * Bf16.Widen((ushort)*b);
            sum += Bf16.Widen((ushort)(*a >> 16)) * Bf16.Widen((ushort)(*b >> 16));
        }

        return sum;
    }
}
