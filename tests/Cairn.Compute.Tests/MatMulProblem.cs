namespace Cairn.Compute.Tests;

/// <summary>Which operands are stored transposed.</summary>
internal readonly record struct Form(bool TransposeA, bool TransposeB)
{
    public static Form[] All { get; } = [new(false, true), new(false, false), new(true, false), new(true, true)];
}

/// <summary>Seeded operands of one product, and its slow truths.</summary>
internal sealed unsafe class MatMulProblem
{
    private readonly int _m, _n, _k, _aStride, _bStride, _cStride;
    private readonly Form _form;
    private readonly bool _accumulate;
    private readonly float[] _a, _b, _c, _result;

    public MatMulProblem(int m, int n, int k, Form form, bool accumulate, int padding = 0)
    {
        (_m, _n, _k, _form, _accumulate) = (m, n, k, form, accumulate);
        _aStride = (form.TransposeA ? m : k) + padding;
        _bStride = (form.TransposeB ? k : n) + padding;
        _cStride = n + padding;
        _a = Numbers.Normal("a", _aStride * (form.TransposeA ? k : m));
        _b = Numbers.Normal("b", _bStride * (form.TransposeB ? n : k));
        _c = Numbers.Normal("c", _cStride * m);
        _result = new float[_c.Length];
    }

    /// <summary>Makes the factors numbers that bf16 holds exactly.</summary>
    public void RoundFactors()
    {
        foreach (var factor in new[] { _a, _b })
        {
            for (var i = 0; i < factor.Length; i++)
            {
                factor[i] = Bf16.Widen(Bf16.Round(factor[i]));
            }
        }
    }

    public float[] Run(MicroKernelSet kernels, int threads, MatMulPrecision precision = MatMulPrecision.Fp32)
    {
        using var pool = new WorkPool(threads);
        using var engine = new MatMulEngine(pool, kernels, precision);
        Run(engine);
        return (float[])_result.Clone();
    }

    public void Run(MatMulEngine engine)
    {
        _c.CopyTo(_result.AsSpan());
        fixed (float* a = _a, b = _b, c = _result)
        {
            engine.Multiply(a, _aStride, _form.TransposeA, b, _bStride, _form.TransposeB, c, _cStride, _m, _n, _k, _accumulate);
        }
    }

    public float[] RunSerial(MicroKernelSet kernels)
    {
        using var serial = new SerialMatMul(kernels);
        var result = (float[])_c.Clone();
        fixed (float* a = _a, b = _b, c = result)
        {
            serial.Multiply(a, _aStride, _form.TransposeA, b, _bStride, _form.TransposeB, c, _cStride, _m, _n, _k, _accumulate);
        }

        return result;
    }

    /// <summary>The contract word for word: a fused chain from zero per K block, the blocks added in order.</summary>
    public float[] ByContract()
    {
        var result = (float[])_c.Clone();
        var block = KBlocking.BlockLength(_k);
        ForEachElement((i, j, at) =>
        {
            var sum = _accumulate ? _c[at] : 0f;
            for (var first = 0; first < _k; first += block)
            {
                var chain = 0f;
                for (var k = first; k < Math.Min(_k, first + block); k++)
                {
                    chain = MathF.FusedMultiplyAdd(A(i, k), B(k, j), chain);
                }

                sum = first == 0 && !_accumulate ? chain : sum + chain;
            }

            result[at] = sum;
        });
        return result;
    }

    public void AssertClose(float[] actual, string what)
    {
        var seen = (float[])_c.Clone();
        ForEachElement((i, j, at) =>
        {
            double sum = _accumulate ? _c[at] : 0, size = Math.Abs(sum);
            for (var k = 0; k < _k; k++)
            {
                sum += (double)A(i, k) * B(k, j);
                size += Math.Abs((double)A(i, k) * B(k, j));
            }

            Assert.True(Math.Abs(sum - actual[at]) <= 1e-6 * size, $"{_m}x{_n}x{_k} {what}: [{i},{j}] expected {sum:R}, got {actual[at]:R}");
            seen[at] = actual[at];
        });
        Assert.True(MatMulTests.SameBits(seen, actual), "floats between the rows of C were written");
    }

    private float A(int i, int k) => _form.TransposeA ? _a[(k * _aStride) + i] : _a[(i * _aStride) + k];

    private float B(int k, int j) => _form.TransposeB ? _b[(j * _bStride) + k] : _b[(k * _bStride) + j];

    private void ForEachElement(Action<int, int, int> visit)
    {
        for (var i = 0; i < _m; i++)
        {
            for (var j = 0; j < _n; j++)
            {
                visit(i, j, (i * _cStride) + j);
            }
        }
    }
}
