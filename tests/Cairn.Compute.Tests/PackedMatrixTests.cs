namespace Cairn.Compute.Tests;

public sealed class PackedMatrixTests
{
    public static TheoryData<int, int, int, MatrixPrecision> Sizes
    {
        get
        {
            var sizes = new TheoryData<int, int, int, MatrixPrecision>();
            foreach (var precision in Enum.GetValues<MatrixPrecision>())
            {
                foreach (var (m, n, k) in new[] { (1, 4, 16), (1, 70, 33), (2, 5, 96), (3, 130, 2050), (5, 64, 64), (7, 9, 31), (8, 12, 1024), (29, 67, 1100) })
                {
                    sizes.Add(m, n, k, precision);
                }
            }

            return sizes;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_product_is_that_of_the_numbers_the_matrix_holds(int m, int n, int k, MatrixPrecision precision)
    {
        using var kernels = new CpuKernels(2);
        using var w = Matrix(n, k, precision);
        var x = Numbers.Normal("x", m * k);
        var start = Numbers.Normal("y", m * n);
        foreach (var accumulate in new[] { false, true })
        {
            var y = (float[])start.Clone();
            kernels.Multiply(w, x, y, m, accumulate);
            Numbers.Close(Expected(w, x, accumulate ? start : null, m), y, precision == MatrixPrecision.Int8 ? 0.02 : 1e-5, $"{precision}");
        }
    }

    [Theory]
    [InlineData(MatrixPrecision.F32)]
    [InlineData(MatrixPrecision.Bf16)]
    [InlineData(MatrixPrecision.Int8)]
    public void A_row_has_the_bits_it_has_alone(MatrixPrecision precision)
    {
        const int Rows = 23, N = 70, K = 1100;
        using var kernels = new CpuKernels(2);
        using var w = Matrix(N, K, precision);
        var x = Numbers.Normal("x", Rows * K);
        var alone = new float[Rows * N];
        for (var row = 0; row < Rows; row++)
        {
            kernels.Multiply(w, x.AsSpan(row * K, K), alone.AsSpan(row * N, N), 1, accumulate: false);
        }

        for (var rows = 2; rows <= Rows; rows++)
        {
            var y = new float[rows * N];
            kernels.Multiply(w, x.AsSpan(0, rows * K), y, rows, accumulate: false);
            Assert.Equal(alone[..(rows * N)], y);
        }
    }

    [Fact]
    public void Eight_bits_are_blocks_of_32_levels_with_a_half_scale_and_rounding_them_again_changes_nothing()
    {
        var values = Numbers.Normal("w", 70);
        values.AsSpan(32, 32).Clear();
        using var w = new PackedMatrix(3, 70, MatrixPrecision.Int8);
        w.SetRow(1, values);
        var held = new float[70];
        w.GetRow(1, held);
        for (var i = 0; i < values.Length; i++)
        {
            var block = values.AsSpan(i / 32 * 32, Math.Min(32, 70 - (i / 32 * 32))).ToArray();
            var scale = (float)(Half)(block.Max(MathF.Abs) / 127);
            Assert.Equal(scale == 0 ? 0 : MathF.Round(values[i] / (block.Max(MathF.Abs) / 127)) * scale, held[i], 1e-6f);
        }

        w.SetRow(2, held);
        var again = new float[70];
        w.GetRow(2, again);
        Assert.Equal(held, again);
        w.GetRow(0, again);
        Assert.All(again, value => Assert.Equal(0, value));
    }

    [Fact]
    public void What_is_not_finite_does_not_come_out_as_a_number()
    {
        using var kernels = new CpuKernels(1);
        foreach (var precision in Enum.GetValues<MatrixPrecision>())
        {
            using var w = Matrix(8, 64, precision);
            var x = Numbers.Normal("x", 64);
            x[40] = float.NaN;
            var y = new float[8];
            kernels.Multiply(w, x, y, 1, accumulate: false);
            Assert.All(y, value => Assert.False(float.IsFinite(value)));
        }
    }

    private static PackedMatrix Matrix(int n, int k, MatrixPrecision precision)
    {
        var w = new PackedMatrix(n, k, precision);
        var values = Numbers.Normal("w", n * k);
        for (var row = 0; row < n; row++)
        {
            w.SetRow(row, values.AsSpan(row * k, k));
        }

        return w;
    }

    private static float[] Expected(PackedMatrix w, float[] x, float[]? start, int m)
    {
        var y = new float[m * w.Rows];
        var row = new float[w.Columns];
        for (var n = 0; n < w.Rows; n++)
        {
            w.GetRow(n, row);
            for (var r = 0; r < m; r++)
            {
                y[(r * w.Rows) + n] = (float)(Numbers.Dot(x.AsSpan(r * w.Columns, w.Columns), row) + (start?[(r * w.Rows) + n] ?? 0));
            }
        }

        return y;
    }
}
