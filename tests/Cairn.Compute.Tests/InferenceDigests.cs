using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute.Tests;

/// <summary>The kernels of inference on inputs of sizes that fit no vector, as digests of their outputs' bits.</summary>
internal static class InferenceDigests
{
    public static IReadOnlyList<GoldenDigest> All { get; } =
    [
        new("inference product f32", "49ad7f1d0866fcb0ae55f8d56a7c6cad417213255963ebf51e04fa78fd71ef20", () => Product(MatrixPrecision.F32)),
        new("inference product bf16", "202f8818706e1225782c6747999563075359d248752ec6a022210e3087db5e35", () => Product(MatrixPrecision.Bf16)),
        new("inference product int8", "37260b3362b66472637b2692e0175791ac74fcbf9ec24792249cfaf7aa27c008", () => Product(MatrixPrecision.Int8)),
        new("inference attention", "57edf7213eb03f191fd84f67922165a788f856657e107c62f22c7a07264d30f0", Attention),
    ];

    private static Digest Product(MatrixPrecision precision)
    {
        const int N = 37, K = 1090;
        using var kernels = new CpuKernels(1);
        using var hasher = new Hasher("cairn/test/kernels");
        using var w = new PackedMatrix(N, K, precision);
        var values = GoldenDigests.Inputs("w", N * K);
        for (var row = 0; row < N; row++)
        {
            w.SetRow(row, values.AsSpan(row * K, K));
        }

        foreach (var m in new[] { 1, 2, 8, 13 })
        {
            var y = GoldenDigests.Inputs("y", m * N);
            kernels.Multiply(w, GoldenDigests.Inputs("x", m * K), y, m, accumulate: m == 8);
            hasher.Append(MemoryMarshal.AsBytes<float>(y));
        }

        return hasher.Finish();
    }

    // Two texts, one of which goes on from 19 tokens, in pages out of order; three query heads to one of keys.
    private static Digest Attention()
    {
        const int Heads = 6, KvHeads = 2, Dim = 20, Width = (Heads + (2 * KvHeads)) * Dim;
        using var kernels = new CpuKernels(1);
        using var hasher = new Hasher("cairn/test/kernels");
        using var cache = new KeyValuePages(1, KvHeads, Dim, 9);
        var table = new RopeTable(64, Dim, 10_000);
        int[] first = [7, 2, 5, 0], second = [3, 8];
        Pass([new PagedRows(0, 19, 0, first)]);
        Pass([new PagedRows(0, 38, 19, first), new PagedRows(38, 21, 0, second)]);
        Pass([new PagedRows(0, 1, 21, second), new PagedRows(1, 1, 57, first)]);
        return hasher.Finish();

        void Pass(PagedRows[] texts)
        {
            var rows = texts.Sum(text => text.Count);
            var (qkv, output) = (GoldenDigests.Inputs("qkv", rows * Width), new float[rows * Heads * Dim]);
            kernels.Remember(qkv, table, cache, 0, texts, Heads);
            kernels.AttendPaged(qkv, output, cache, 0, texts, Heads);
            hasher.Append(MemoryMarshal.AsBytes<float>(output));
        }
    }
}
