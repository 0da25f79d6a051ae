using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute.Tests;

/// <summary>One result that every machine must reproduce bit by bit.</summary>
/// <param name="Name">What was computed.</param>
/// <param name="Expected">SHA-256 of its bits.</param>
/// <param name="Compute">Computes it with the kernels that this process would choose.</param>
internal sealed record GoldenDigest(string Name, string Expected, Func<Digest> Compute);

/// <summary>All golden results of this room. <see cref="GoldenDigestTests"/> recomputes every one of them here and in processes with fewer instruction
/// sets: a new line in <see cref="All"/> is all it takes. Inputs are built from integers, so that no library function has a say in them.</summary>
internal static class GoldenDigests
{
    public static IReadOnlyList<GoldenDigest> All { get; } =
    [
        new("matmul y = x wT", "0344dee058f98e7861c8c2694c43f8c1151608271135aa8e8b68da7205b5a5d9", () => MatMul(new Form(false, true), 45, 75, 800)),
        new("matmul dx = dy w", "de4cccd04137055ea1e864f56ee3afdae7f7e7bea70bc9136709ab6812f20536", () => MatMul(new Form(false, false), 50, 61, 417)),
        new("matmul dw = dyT x", "b62e8a2c8af12d419e5dea9937710eb67ee72295c306a8d2ab1b4c3773d25ad2", () => MatMul(new Form(true, false), 29, 97, 1000)),
        new("matmul one row", "830bd9521c3d4667d7f4553a2f6f0c8eab7b2991ec164ef2d60053574f64a574", () => MatMul(new Form(false, true), 1, 203, 1500)),
        .. KernelDigests.All,
        .. InferenceDigests.All,
    ];

    /// <summary>Multiples of 2⁻²³ in [−1, 1): exact in fp32, their sums of products are not.</summary>
    public static float[] Inputs(string purpose, int length)
    {
        var random = new SeededRandom(11, "golden/" + purpose);
        var numbers = new float[length];
        for (var i = 0; i < length; i++)
        {
            numbers[i] = (random.NextBelow(1 << 24) - (1 << 23)) * (1f / (1 << 23));
        }

        return numbers;
    }

    /// <summary>SHA-256 of the bits.</summary>
    public static Digest OfBits(ReadOnlySpan<float> numbers) => Digest.Of(MemoryMarshal.AsBytes(numbers));

    private static unsafe Digest MatMul(Form form, int m, int n, int k)
    {
        var (a, b, c) = (Inputs("a", m * k), Inputs("b", n * k), Inputs("c", m * n));
        using var pool = new WorkPool(2);
        using var engine = new MatMulEngine(pool);
        fixed (float* pa = a, pb = b, pc = c)
        {
            engine.Multiply(pa, form.TransposeA ? m : k, form.TransposeA, pb, form.TransposeB ? k : n, form.TransposeB, pc, n, m, n, k, accumulate: true);
        }

        return OfBits(c);
    }
}
