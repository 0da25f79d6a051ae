namespace Cairn.Compute.Tests;

/// <summary>Numbers that a run gone wrong, or a peer, may bring.</summary>
public sealed class HostileNumberTests : IDisposable
{
    private readonly CpuKernels _kernels = new(1);

    public void Dispose() => _kernels.Dispose();

    [Theory]
    [InlineData(3e38f)]
    [InlineData(-3e38f)]
    [InlineData(1e4f)]
    [InlineData(0f)]
    public void Logits_that_are_all_equal_cost_the_logarithm_of_the_vocabulary(float value)
    {
        const int Vocab = 97;
        var (logits, losses) = (new float[Vocab], new float[1]);
        Array.Fill(logits, value);
        _kernels.SoftmaxCrossEntropy(logits, [3], losses, 1, Vocab, 1);
        Assert.Equal(Math.Log(Vocab), losses[0], 1e-6);
        Assert.Equal(1.0 / Vocab, logits[0], 1e-8);
        Assert.Equal((1.0 / Vocab) - 1, logits[3], 1e-7);
    }

    [Fact]
    public void Sizes_of_attention_that_leave_an_int_are_errors_and_no_smaller_numbers()
    {
        var plan = new AttentionPlan(new AttentionShape(1, 8192, 1, 1, 65_536));
        Assert.Equal(1 << 29, plan.PanelFloats);
        Assert.Throws<OverflowException>(() => plan.BackwardFloats);
        Assert.Throws<OverflowException>(() => new AttentionPlan(new AttentionShape(1, 65_536, 1, 1, 65_536)).PanelFloats);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1_000_000)]
    public unsafe void Scratch_of_no_size_is_refused_and_not_answered_with_an_older_buffer(int length)
    {
        using var scratch = new Scratch();
        Assert.True(scratch.Take(16) != null);
        Assert.Throws<Base.InvariantViolation>(() => { scratch.Take(length); });
    }

    [Fact]
    public void Far_logits_give_finite_gradients_and_the_true_loss()
    {
        var (logits, losses) = (new float[33], new float[1]);
        Array.Fill(logits, -3e38f);
        logits[7] = 1e38f;
        logits[20] = -1e38f;
        _kernels.SoftmaxCrossEntropy(logits, [20], losses, 1, 33, 1);
        Assert.Equal(2e38f, losses[0]);
        Assert.Equal(1f, logits[7]);
        Assert.Equal(-1f, logits[20]);
        Assert.All(logits, z => Assert.True(float.IsFinite(z)));
    }

    [Fact]
    public void A_forbidden_token_is_not_a_number_only_as_a_target()
    {
        var (logits, losses) = (new float[] { 1, float.NegativeInfinity, 2 }, new float[2]);
        _kernels.CrossEntropy([.. logits, .. logits], [2, 1], losses, 2, 3);
        Assert.Equal(Math.Log(1 + Math.Exp(-1)), losses[0], 1e-6);
        Assert.Equal(float.PositiveInfinity, losses[1]);
    }

    [Fact]
    public void What_is_not_a_number_is_not_hidden()
    {
        foreach (var place in new[] { 0, 5, 16, 32 })
        {
            var (logits, losses) = (new float[33], new float[1]);
            logits[place] = float.NaN;
            _kernels.CrossEntropy(logits, [1], losses, 1, 33);
            Assert.Equal(float.NaN, losses[0]);
        }
    }

    [Theory]
    [InlineData(1e18f)]
    [InlineData(1e3f)]
    public void Attention_to_huge_scores_stays_finite(float size)
    {
        var shape = new AttentionShape(1, 40, 2, 1, 8);
        var qkv = Array.ConvertAll(Numbers.Normal("qkv", shape.Rows * shape.QkvWidth), x => x * size);
        for (var i = 0; i < qkv.Length; i++)
        {
            qkv[i] = i % shape.QkvWidth >= 24 ? qkv[i] / size : qkv[i];
        }

        var (output, lse, dQkv) = (new float[shape.Rows * shape.OutWidth], new float[shape.Rows * shape.Heads], new float[qkv.Length]);
        _kernels.Attention(qkv, output, lse, shape);
        _kernels.AttentionBackward(Numbers.Normal("dOut", output.Length), qkv, output, lse, dQkv, shape);
        Assert.All(output, x => Assert.True(Math.Abs(x) < 10));
        Assert.All(dQkv, x => Assert.True(float.IsFinite(x)));
    }

    [Fact]
    public void Gates_far_out_are_open_or_shut()
    {
        var (gateUp, act, dGateUp) = (new float[] { 1e30f, -1e30f, 100, -100, 0, 2, 2, 2, 2, 2 }, new float[5], new float[10]);
        _kernels.SwiGlu(gateUp, act, 1, 5);
        Assert.Equal([2e30f, -0f, 200, -0f, 0], act);
        _kernels.SwiGluBackward(gateUp, [1, 1, 1, 1, 1], dGateUp, 1, 5);
        Assert.Equal([2, 0, 2, 0, 1], dGateUp[..5]);
    }

    [Fact]
    public void A_row_of_zeros_has_a_finite_norm()
    {
        var (y, inverse, dx, dGain) = (new float[20], new float[1], new float[20], new float[20]);
        _kernels.RmsNorm(new float[20], Numbers.Normal("gain", 20), y, inverse, 1, 20, 1e-5f);
        Assert.Equal(1 / Math.Sqrt(1e-5), inverse[0], 1e-3);
        _kernels.RmsNormBackward(Numbers.Normal("dy", 20), new float[20], Numbers.Normal("gain", 20), inverse, dx, dGain, 1, 20);
        Assert.All(dx, x => Assert.True(float.IsFinite(x)));
    }

    [Fact]
    public void A_parameter_without_gradient_only_decays()
    {
        var (p, m, v) = (new float[] { 2 }, new float[1], new float[1]);
        _kernels.AdamW(p, [0], m, v, new AdamWStep(0.1f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 0.05f, 1));
        Assert.Equal(1.98f, p[0]);
        Assert.Equal((0f, 0f), (m[0], v[0]));
    }

    [Fact]
    public void No_call_of_a_known_size_allocates()
    {
        var shape = new AttentionShape(1, 50, 4, 2, 16);
        var (table, rows) = (new RopeTable(50, 16, 10_000), shape.Rows);
        var (qkv, dQkv) = (Numbers.Normal("x", rows * shape.QkvWidth), new float[rows * shape.QkvWidth]);
        var (output, lse) = (new float[rows * 64], new float[rows * 4]);
        var (gain, inverse, losses, targets, wide) = (new float[64], new float[rows], new float[rows], new int[rows], new float[rows * 128]);
        var step = new AdamWStep(0.1f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 0.05f, 1);
        void All()
        {
            _kernels.MatMul(output, wide.AsSpan(0, 64 * 64), dQkv.AsSpan(0, rows * 64), rows, 64, 64, accumulate: false);
            _kernels.RmsNorm(output, gain, wide.AsSpan(0, rows * 64), inverse, rows, 64, 1e-5f);
            _kernels.RmsNormBackward(output, output, gain, inverse, wide.AsSpan(0, rows * 64), gain, rows, 64);
            _kernels.Rope(qkv, table, shape, inverse: false);
            _kernels.Attention(qkv, output, lse, shape);
            _kernels.AttentionBackward(output, qkv, output, lse, dQkv, shape);
            _kernels.AttentionStep(output.AsSpan(0, 64), wide.AsSpan(0, 50 * 32), wide.AsSpan(0, 50 * 32), gain, 50, shape);
            _kernels.SwiGlu(wide, output, rows, 64);
            _kernels.SwiGluBackward(wide, output, wide, rows, 64);
            _kernels.Embed(targets, output, wide.AsSpan(0, rows * 64), 64);
            _kernels.EmbedBackward(targets, output, wide.AsSpan(0, rows * 64), 64);
            _kernels.SoftmaxCrossEntropy(output, targets, losses, rows, 64, 1);
            _kernels.CrossEntropy(output, targets, losses, rows, 64);
            _kernels.SumOfSquares(qkv);
            _kernels.AdamW(output, wide.AsSpan(0, rows * 64), dQkv.AsSpan(0, rows * 64), qkv.AsSpan(0, rows * 64), step);
        }

        All();
        var before = GC.GetAllocatedBytesForCurrentThread();
        All();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
