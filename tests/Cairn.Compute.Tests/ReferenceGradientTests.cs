using Cairn.Base;

namespace Cairn.Compute.Tests;

/// <summary>The reference's gradients against central differences of its own forward passes, along random directions.</summary>
public sealed class ReferenceGradientTests : IDisposable
{
    private const double Step = 1e-2;
    private readonly ReferenceKernels _kernels = new();

    public void Dispose() => _kernels.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(3, 33)]
    public void RmsNorm_gradients_are_its_slopes(int rows, int dim)
    {
        var (x, gain, cotangent) = (Numbers.Normal("x", rows * dim), Numbers.Normal("gain", dim), Numbers.Normal("dy", rows * dim));
        var (dx, dGain, inverse) = (new float[rows * dim], new float[dim], new float[rows]);
        _kernels.RmsNorm(x, gain, new float[rows * dim], inverse, rows, dim, 1e-5f);
        _kernels.RmsNormBackward(cotangent, x, gain, inverse, dx, dGain, rows, dim);
        CheckSlope(v => Forward(v, gain), x, dx, cotangent);
        CheckSlope(v => Forward(x, v), gain, dGain, cotangent);

        float[] Forward(float[] xRD, float[] gainD)
        {
            var y = new float[rows * dim];
            _kernels.RmsNorm(xRD, gainD, y, new float[rows], rows, dim, 1e-5f);
            return y;
        }
    }

    [Fact]
    public void SwiGlu_gradients_are_its_slopes()
    {
        const int Rows = 3, Ffn = 7;
        var (x, cotangent, dx) = (Numbers.Normal("x", 2 * Rows * Ffn), Numbers.Normal("dy", Rows * Ffn), new float[2 * Rows * Ffn]);
        _kernels.SwiGluBackward(x, cotangent, dx, Rows, Ffn);
        CheckSlope(Forward, x, dx, cotangent);

        float[] Forward(float[] gateUp)
        {
            var y = new float[Rows * Ffn];
            _kernels.SwiGlu(gateUp, y, Rows, Ffn);
            return y;
        }
    }

    [Theory]
    [InlineData(1, 1, 2, 1)]
    [InlineData(2, 5, 4, 2)]
    [InlineData(1, 9, 3, 3)]
    public void Attention_gradients_are_its_slopes(int batch, int length, int heads, int kvHeads)
    {
        var shape = new AttentionShape(batch, length, heads, kvHeads, 6);
        var (qkv, cotangent) = (Numbers.Normal("qkv", shape.Rows * shape.QkvWidth), Numbers.Normal("dy", shape.Rows * shape.OutWidth));
        var (output, lse, dQkv) = (new float[cotangent.Length], new float[shape.Rows * heads], new float[qkv.Length]);
        _kernels.Attention(qkv, output, lse, shape);
        _kernels.AttentionBackward(cotangent, qkv, output, lse, dQkv, shape);
        CheckSlope(Forward, qkv, dQkv, cotangent);

        float[] Forward(float[] x)
        {
            var y = new float[cotangent.Length];
            _kernels.Attention(x, y, new float[lse.Length], shape);
            return y;
        }
    }

    [Fact]
    public void CrossEntropy_gradients_are_its_slopes()
    {
        const int Rows = 3, Vocab = 97;
        var (logits, targets, losses) = (Numbers.Normal("z", Rows * Vocab, 3), Numbers.Below("t", Rows, Vocab), new float[Rows]);
        var ones = new float[] { 1, 1, 1 };
        var gradient = (float[])logits.Clone();
        _kernels.SoftmaxCrossEntropy(gradient, targets, losses, Rows, Vocab, 1);
        CheckSlope(Forward, logits, gradient, ones);
        Assert.Equal(losses, Forward(logits));

        float[] Forward(float[] z)
        {
            var y = new float[Rows];
            _kernels.CrossEntropy(z, targets, y, Rows, Vocab);
            return y;
        }
    }

    [Fact]
    public void MatMul_gradients_are_its_slopes()
    {
        const int M = 5, N = 7, K = 3;
        var (x, w, dy) = (Numbers.Normal("x", M * K), Numbers.Normal("w", N * K), Numbers.Normal("dy", M * N));
        var (dx, dw) = (new float[M * K], new float[N * K]);
        _kernels.MatMulInputGradient(dy, w, dx, M, N, K, accumulate: false);
        _kernels.MatMulParameterGradient(dy, x, dw, M, N, K, accumulate: false);
        CheckSlope(v => Forward(v, w), x, dx, dy);
        CheckSlope(v => Forward(x, v), w, dw, dy);

        float[] Forward(float[] xMK, float[] wNK)
        {
            var y = new float[M * N];
            _kernels.MatMul(xMK, wNK, y, M, N, K, accumulate: false);
            return y;
        }
    }

    [Fact]
    public void Rotating_back_undoes_the_rotation()
    {
        var shape = new AttentionShape(2, 5, 4, 2, 6);
        var qkv = Numbers.Normal("qkv", shape.Rows * shape.QkvWidth);
        var turned = (float[])qkv.Clone();
        var table = new RopeTable(8, 6, 10_000);
        _kernels.Rope(turned, table, shape, inverse: false);
        Assert.False(qkv.AsSpan().SequenceEqual(turned));
        _kernels.Rope(turned, table, shape, inverse: true);
        Numbers.Close(qkv, turned, 1e-6, "qkv");
    }

    [Fact]
    public void A_step_of_attention_is_the_last_row_of_a_whole_pass()
    {
        var shape = new AttentionShape(1, 9, 4, 2, 6);
        var qkv = Numbers.Normal("qkv", shape.Rows * shape.QkvWidth);
        var (whole, step) = (new float[shape.Rows * shape.OutWidth], new float[shape.OutWidth]);
        _kernels.Attention(qkv, whole, new float[shape.Rows * shape.Heads], shape);
        var (keys, values) = KvCache.Of(qkv, shape);
        _kernels.AttentionStep(qkv.AsSpan(8 * shape.QkvWidth, shape.OutWidth), keys, values, step, 9, shape);
        Assert.Equal(whole.AsSpan(8 * shape.OutWidth).ToArray(), step);
    }

    private static void CheckSlope(Func<float[], float[]> forward, float[] at, float[] gradient, float[] cotangent)
    {
        for (var trial = 0; trial < 3; trial++)
        {
            var direction = Numbers.Normal("direction" + trial, at.Length);
            var above = Numbers.Dot(forward(Numbers.Moved(at, direction, Step)), cotangent);
            var below = Numbers.Dot(forward(Numbers.Moved(at, direction, -Step)), cotangent);
            var slope = (above - below) / (2 * Step);
            var size = Math.Sqrt(Numbers.Dot(gradient, gradient) * Numbers.Dot(direction, direction));
            var promised = Numbers.Dot(gradient, direction);
            Assert.True(Math.Abs(slope - promised) <= (2e-3 * size) + 1e-4, $"slope {slope}, gradient gives {promised}");
        }
    }
}
