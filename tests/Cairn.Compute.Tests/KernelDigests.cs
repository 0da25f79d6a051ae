using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute.Tests;

/// <summary>Every operation on seeded inputs of sizes that fit no vector, as a digest of its outputs' bits.</summary>
internal static class KernelDigests
{
    private static readonly AttentionShape Shape = new(2, 101, 4, 2, 24);

    /// <summary>The published bits: a change of one is a change of what all peers must compute.</summary>
    public static IReadOnlyList<GoldenDigest> All { get; } =
    [
        Golden("products", "37fcfc229990fa34381f49ccbc05c0c74bce0e94053378415abed9aeaee61e47", Products),
        Golden("norm", "23d4c764d9247b4f783b70b52aff09499a1fb08a0372a99868635e97b0180d91", Norm),
        Golden("rotation", "81ab22b8e99c7d93de40fbd2032533b995f1f9ddca0da618e73dfb5920893daa", Rotation),
        Golden("attention", "6da1531d6495c621a0218db1201b8c45eeaf5093544e5a57e6568da30ea31e6e", Attention),
        Golden("attention back", "ca1352db5bcf4b80a9be7265e839b864f614f59ec42864aff842fc09ef9df2c1", AttentionBack),
        Golden("attention step", "b23586e63545a1e4105dc6c2454b683e935fbf354a579a3122c42ed123ef6cbe", AttentionStep),
        Golden("gate", "1db85384a62f4301aef6603c7f7c5013655a9e36a5ac92ab1e93a0c5a6ac9d84", Gate),
        Golden("embedding", "1a636ba571ec21770c839303b2f5b046206921edf52a21a97c6d8b6156573e75", Embedding),
        Golden("loss", "f1563837b3e47a0ed6408df485fb38bbaaa5dbe62b7956b9c8badd8766d87275", Loss),
        Golden("squares", "be4b4fd64a1251328faef3770ff994e2935b903d616398664d26c9ef417ea883", Squares),
        Golden("optimizer", "397dc1f1051540af58487ef4b2e3908b6c057282abeb750644bf0628c605f1a2", Optimizer),
    ];

    /// <summary>All outputs of one operation.</summary>
    public static IReadOnlyList<Action<IKernels, Hasher>> Operations { get; } =
        [Products, Norm, Rotation, Attention, AttentionBack, AttentionStep, Gate, Embedding, Loss, Squares, Optimizer];

    public static Digest Of(Action<IKernels, Hasher> operation, IKernels kernels)
    {
        using var hasher = new Hasher("cairn/test/kernels");
        operation(kernels, hasher);
        return hasher.Finish();
    }

    private static GoldenDigest Golden(string name, string expected, Action<IKernels, Hasher> operation) => new("kernels " + name, expected, () =>
    {
        using var kernels = new CpuKernels(1);
        return Of(operation, kernels);
    });

    private static void Squares(IKernels kernels, Hasher hasher) =>
        hasher.Append(BitConverter.DoubleToInt64Bits(kernels.SumOfSquares(Numbers.Normal("x", 50_021))));

    private static void Products(IKernels kernels, Hasher hasher)
    {
        const int M = 45, N = 37, K = 67;
        var (x, w, dy) = (Numbers.Normal("x", M * K), Numbers.Normal("w", N * K), Numbers.Normal("dy", M * N));
        var (y, dx, dw) = (new float[M * N], new float[M * K], new float[N * K]);
        foreach (var accumulate in new[] { false, true })
        {
            kernels.MatMul(x, w, y, M, N, K, accumulate);
            kernels.MatMulInputGradient(dy, w, dx, M, N, K, accumulate);
            kernels.MatMulParameterGradient(dy, x, dw, M, N, K, accumulate);
        }

        Append(hasher, y, dx, dw);
    }

    private static void Norm(IKernels kernels, Hasher hasher)
    {
        foreach (var (rows, dim) in new[] { (75, 33), (7, 1), (67, 128) })
        {
            var (x, gain, y, inverse) = (Numbers.Normal("x", rows * dim), Numbers.Normal("gain", dim), new float[rows * dim], new float[rows]);
            var (dx, dGain) = (Numbers.Normal("dx", rows * dim), new float[dim]);
            kernels.RmsNorm(x, gain, y, inverse, rows, dim, 1e-5f);
            kernels.RmsNormBackward(Numbers.Normal("dy", rows * dim), x, gain, inverse, dx, dGain, rows, dim);
            Append(hasher, y, inverse, dx, dGain);
        }
    }

    private static void Rotation(IKernels kernels, Hasher hasher)
    {
        var qkv = Numbers.Normal("qkv", Shape.Rows * Shape.QkvWidth);
        kernels.Rope(qkv, new RopeTable(128, Shape.HeadDim, 10_000), Shape, inverse: false);
        Append(hasher, qkv);
        kernels.Rope(qkv, new RopeTable(128, Shape.HeadDim, 500_000), Shape, inverse: true);
        Append(hasher, qkv);
    }

    private static void Attention(IKernels kernels, Hasher hasher)
    {
        var (output, lse) = (new float[Shape.Rows * Shape.OutWidth], new float[Shape.Rows * Shape.Heads]);
        kernels.Attention(Numbers.Normal("qkv", Shape.Rows * Shape.QkvWidth), output, lse, Shape);
        Append(hasher, output, lse);
    }

    private static void AttentionBack(IKernels kernels, Hasher hasher)
    {
        var qkv = Numbers.Normal("qkv", Shape.Rows * Shape.QkvWidth);
        var (output, lse, dQkv) = (new float[Shape.Rows * Shape.OutWidth], new float[Shape.Rows * Shape.Heads], new float[qkv.Length]);
        kernels.Attention(qkv, output, lse, Shape);
        kernels.AttentionBackward(Numbers.Normal("dOut", output.Length), qkv, output, lse, dQkv, Shape);
        Append(hasher, dQkv);
    }

    private static void AttentionStep(IKernels kernels, Hasher hasher)
    {
        var one = Shape with { Batch = 1 };
        var (keys, values) = KvCache.Of(Numbers.Normal("qkv", one.Rows * one.QkvWidth), one);
        var output = new float[one.OutWidth];
        foreach (var length in new[] { 1, 16, 101 })
        {
            kernels.AttentionStep(Numbers.Normal("q", one.OutWidth), keys, values, output, length, one);
            Append(hasher, output);
        }
    }

    private static void Gate(IKernels kernels, Hasher hasher)
    {
        const int Rows = 35, Ffn = 45;
        var (gateUp, act, dGateUp) = (Numbers.Normal("x", 2 * Rows * Ffn, 8), new float[Rows * Ffn], new float[2 * Rows * Ffn]);
        kernels.SwiGlu(gateUp, act, Rows, Ffn);
        kernels.SwiGluBackward(gateUp, Numbers.Normal("dy", Rows * Ffn), dGateUp, Rows, Ffn);
        Append(hasher, act, dGateUp);
    }

    private static void Embedding(IKernels kernels, Hasher hasher)
    {
        const int Rows = 70, Dim = 75, Vocab = 31;
        var (tokens, table, x) = (Numbers.Below("t", Rows, Vocab), Numbers.Normal("table", Vocab * Dim), new float[Rows * Dim]);
        kernels.Embed(tokens, table, x, Dim);
        kernels.EmbedBackward(tokens, Numbers.Normal("dx", Rows * Dim), table, Dim);
        Append(hasher, x, table);
    }

    private static void Loss(IKernels kernels, Hasher hasher)
    {
        const int Rows = 9, Vocab = 2077;
        var (logits, losses) = (Numbers.Normal("z", Rows * Vocab, 6), new float[Rows]);
        kernels.SoftmaxCrossEntropy(logits, Numbers.Below("t", Rows, Vocab), losses, Rows, Vocab, 0.125f);
        Append(hasher, logits, losses);
    }

    private static void Optimizer(IKernels kernels, Hasher hasher)
    {
        const int Length = 20_003;
        var (p, m, v) = (Numbers.Normal("p", Length), new float[Length], new float[Length]);
        for (var step = 1; step <= 3; step++)
        {
            var (correction1, correction2) = ((float)(1 - DeterministicMath.Pow(0.9, step)), (float)(1 - DeterministicMath.Pow(0.95, step)));
            kernels.AdamW(p, Numbers.Normal("g" + step, Length, 1e-3), m, v, new AdamWStep(1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, correction1, correction2, 0.5f));
        }

        Append(hasher, p, m, v);
    }

    private static void Append(Hasher hasher, params ReadOnlySpan<float[]> arrays)
    {
        foreach (var array in arrays)
        {
            hasher.Append(MemoryMarshal.AsBytes<float>(array));
        }
    }
}
