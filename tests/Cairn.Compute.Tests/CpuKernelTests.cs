namespace Cairn.Compute.Tests;

/// <summary>Every operation of the SIMD kernels against the scalar reference, on shapes that fit no vector.</summary>
public sealed class CpuKernelTests : IDisposable
{
    private const double Tolerance = 2e-6;
    private readonly ReferenceKernels _reference = new();
    private readonly CpuKernels _cpu = new(2);

    public static TheoryData<int, int> RowShapes => new() { { 1, 1 }, { 3, 7 }, { 70, 33 }, { 129, 128 }, { 5, 1031 } };

    public static TheoryData<int, int, int, int, int> AttentionShapes => new()
    {
        { 1, 1, 2, 1, 2 }, { 2, 5, 4, 2, 6 }, { 1, 130, 4, 2, 32 }, { 2, 97, 6, 6, 16 }, { 1, 200, 2, 2, 64 }, { 1, 33, 3, 1, 80 }, { 1, 192, 1, 1, 128 },
    };

    public void Dispose()
    {
        _reference.Dispose();
        _cpu.Dispose();
    }

    [Theory]
    [MemberData(nameof(RowShapes))]
    public void RmsNorm_matches_the_reference(int rows, int dim)
    {
        var (x, gain) = (Numbers.Normal("x", rows * dim), Numbers.Normal("gain", dim));
        var (y, inverse, expectedY, expectedInverse) = (new float[rows * dim], new float[rows], new float[rows * dim], new float[rows]);
        _reference.RmsNorm(x, gain, expectedY, expectedInverse, rows, dim, 1e-5f);
        _cpu.RmsNorm(x, gain, y, inverse, rows, dim, 1e-5f);
        Numbers.Close(expectedY, y, Tolerance, "y");
        Numbers.Close(expectedInverse, inverse, Tolerance, "1/rms");
    }

    [Theory]
    [MemberData(nameof(RowShapes))]
    public void RmsNorm_gradients_match_the_reference(int rows, int dim)
    {
        var (x, gain) = (Numbers.Normal("x", rows * dim), Numbers.Normal("gain", dim));
        var (dy, stream) = (Numbers.Normal("dy", rows * dim), Numbers.Normal("dx", rows * dim));
        var inverse = new float[rows];
        _reference.RmsNorm(x, gain, new float[rows * dim], inverse, rows, dim, 1e-5f);
        var (expectedDx, dx, expectedGain, dGain) = ((float[])stream.Clone(), (float[])stream.Clone(), new float[dim], Numbers.Normal("old", dim));
        _reference.RmsNormBackward(dy, x, gain, inverse, expectedDx, expectedGain, rows, dim);
        _cpu.RmsNormBackward(dy, x, gain, inverse, dx, dGain, rows, dim);
        Numbers.Close(expectedDx, dx, Tolerance, "dx");
        Numbers.Close(expectedGain, dGain, Tolerance, "dGain");
    }

    [Theory]
    [MemberData(nameof(RowShapes))]
    public void SwiGlu_matches_the_reference(int rows, int ffn)
    {
        var (x, dAct) = (Numbers.Normal("x", 2 * rows * ffn, 4), Numbers.Normal("dy", rows * ffn));
        var (expected, act, expectedDx, dx) = (new float[rows * ffn], new float[rows * ffn], new float[x.Length], new float[x.Length]);
        _reference.SwiGlu(x, expected, rows, ffn);
        _cpu.SwiGlu(x, act, rows, ffn);
        Numbers.Close(expected, act, Tolerance, "act");
        _reference.SwiGluBackward(x, dAct, expectedDx, rows, ffn);
        _cpu.SwiGluBackward(x, dAct, dx, rows, ffn);
        Numbers.Close(expectedDx, dx, Tolerance, "dGateUp");
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(130, 33)]
    [InlineData(67, 128)]
    public void Embedding_is_the_reference_to_the_bit(int rows, int dim)
    {
        const int Vocab = 97;
        var (tokens, table, dx) = (Numbers.Below("t", rows, Vocab), Numbers.Normal("table", Vocab * dim), Numbers.Normal("dx", rows * dim));
        var (expected, x, expectedTable, dTable) = (new float[rows * dim], new float[rows * dim], (float[])table.Clone(), (float[])table.Clone());
        _reference.Embed(tokens, table, expected, dim);
        _cpu.Embed(tokens, table, x, dim);
        Assert.Equal(expected, x);
        _reference.EmbedBackward(tokens, dx, expectedTable, dim);
        _cpu.EmbedBackward(tokens, dx, dTable, dim);
        Assert.Equal(expectedTable, dTable);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 97)]
    [InlineData(3, 2500)]
    public void Cross_entropy_matches_the_reference_and_has_one_loss(int rows, int vocab)
    {
        var (logits, targets) = (Numbers.Normal("z", rows * vocab, 5), Numbers.Below("t", rows, vocab));
        var (expected, actual) = ((float[])logits.Clone(), (float[])logits.Clone());
        var (expectedLosses, losses, alone) = (new float[rows], new float[rows], new float[rows]);
        _reference.SoftmaxCrossEntropy(expected, targets, expectedLosses, rows, vocab, 0.25f);
        _cpu.CrossEntropy(actual, targets, alone, rows, vocab);
        Assert.Equal(logits, actual);
        _cpu.SoftmaxCrossEntropy(actual, targets, losses, rows, vocab, 0.25f);
        Numbers.Close(expectedLosses, losses, Tolerance, "losses");
        Numbers.Close(expected, actual, Tolerance, "dLogits");
        Assert.Equal(losses, alone);
    }

    [Theory]
    [MemberData(nameof(AttentionShapes))]
    public void Rotation_matches_the_reference(int batch, int length, int heads, int kvHeads, int headDim)
    {
        var shape = new AttentionShape(batch, length, heads, kvHeads, headDim);
        var table = new RopeTable(length + 3, headDim, 10_000);
        var expected = Numbers.Normal("qkv", shape.Rows * shape.QkvWidth);
        var actual = (float[])expected.Clone();
        foreach (var inverse in new[] { false, true, true })
        {
            _reference.Rope(expected, table, shape, inverse);
            _cpu.Rope(actual, table, shape, inverse);
            Numbers.Close(expected, actual, Tolerance, "qkv");
        }
    }

    [Theory]
    [MemberData(nameof(AttentionShapes))]
    public void Attention_and_its_gradients_match_the_reference(int batch, int length, int heads, int kvHeads, int headDim)
    {
        var shape = new AttentionShape(batch, length, heads, kvHeads, headDim);
        var (qkv, dOut) = (Numbers.Normal("qkv", shape.Rows * shape.QkvWidth, 1.5), Numbers.Normal("dOut", shape.Rows * shape.OutWidth));
        var (expectedOut, output) = (new float[dOut.Length], new float[dOut.Length]);
        var (expectedLse, lse) = (new float[shape.Rows * heads], new float[shape.Rows * heads]);
        var (expectedDx, dx) = (new float[qkv.Length], Numbers.Normal("old", qkv.Length));
        _reference.Attention(qkv, expectedOut, expectedLse, shape);
        _cpu.Attention(qkv, output, lse, shape);
        Numbers.Close(expectedOut, output, 4 * Tolerance, "out");
        Numbers.Close(expectedLse, lse, Tolerance, "lse");
        _reference.AttentionBackward(dOut, qkv, expectedOut, expectedLse, expectedDx, shape);
        _cpu.AttentionBackward(dOut, qkv, expectedOut, expectedLse, dx, shape);
        Numbers.Close(expectedDx, dx, 6 * Tolerance, "dQkv");
    }

    [Theory]
    [MemberData(nameof(AttentionShapes))]
    public void A_step_of_attention_matches_the_reference(int batch, int length, int heads, int kvHeads, int headDim)
    {
        Assert.True(batch > 0);
        var shape = new AttentionShape(1, length, heads, kvHeads, headDim);
        var (keys, values) = KvCache.Of(Numbers.Normal("qkv", shape.Rows * shape.QkvWidth), shape);
        var (q, expected, actual) = (Numbers.Normal("q", shape.OutWidth), new float[shape.OutWidth], new float[shape.OutWidth]);
        _reference.AttentionStep(q, keys, values, expected, length, shape);
        _cpu.AttentionStep(q, keys, values, actual, length, shape);
        Numbers.Close(expected, actual, Tolerance, "out");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(33)]
    [InlineData(40_001)]
    public void Squares_and_the_optimizer_match_the_reference(int length)
    {
        var (p, g, m) = (Numbers.Normal("p", length), Numbers.Normal("g", length, 1e-3), Numbers.Normal("m", length, 1e-3));
        var v = Array.ConvertAll(Numbers.Normal("v", length, 1e-3), x => x * x);
        var expected = (P: (float[])p.Clone(), M: (float[])m.Clone(), V: (float[])v.Clone());
        var step = new AdamWStep(1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.19f, 0.0975f, 0.5f);
        _reference.AdamW(expected.P, g, expected.M, expected.V, step);
        _cpu.AdamW(p, g, m, v, step);
        Numbers.Close(expected.P, p, Tolerance, "p");
        Numbers.Close(expected.M, m, Tolerance, "m");
        Numbers.Close(expected.V, v, Tolerance, "v");
        var squares = _reference.SumOfSquares(g);
        Assert.Equal(squares, _cpu.SumOfSquares(g), 1e-13 * squares);
    }

    [Fact]
    public void Products_match_the_reference()
    {
        const int M = 37, N = 41, K = 29;
        var (x, w, dy) = (Numbers.Normal("x", M * K), Numbers.Normal("w", N * K), Numbers.Normal("dy", M * N));
        var (y, dx, dw) = (new float[M * N], new float[M * K], new float[N * K]);
        var (expectedY, expectedDx, expectedDw) = (new float[M * N], new float[M * K], new float[N * K]);
        foreach (var accumulate in new[] { false, true })
        {
            _reference.MatMul(x, w, expectedY, M, N, K, accumulate);
            _reference.MatMulInputGradient(dy, w, expectedDx, M, N, K, accumulate);
            _reference.MatMulParameterGradient(dy, x, expectedDw, M, N, K, accumulate);
            _cpu.MatMul(x, w, y, M, N, K, accumulate);
            _cpu.MatMulInputGradient(dy, w, dx, M, N, K, accumulate);
            _cpu.MatMulParameterGradient(dy, x, dw, M, N, K, accumulate);
        }

        Numbers.Close(expectedY, y, Tolerance, "y");
        Numbers.Close(expectedDx, dx, Tolerance, "dx");
        Numbers.Close(expectedDw, dw, Tolerance, "dw");
    }
}
