using Cairn.Base;

namespace Cairn.Compute;

/// <summary>The truth that every fast implementation is compared with: plain loops on one thread, every sum in double, rounded once.</summary>
/// <remarks>Slow on purpose (about 1 GFLOP/s). Not safe for two threads at once. Same bits on every machine with IEEE arithmetic.</remarks>
public sealed partial class ReferenceKernels : IKernels
{
    private double[] _scores = [];

    /// <inheritdoc/>
    public int Threads => 1;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <inheritdoc/>
    public void MatMul(ReadOnlySpan<float> xMK, ReadOnlySpan<float> wNK, Span<float> yMN, int m, int n, int k, bool accumulate)
    {
        CheckMatMul(xMK.Length, wNK.Length, yMN.Length, m, n, k);
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                double sum = accumulate ? yMN[(i * n) + j] : 0;
                for (var p = 0; p < k; p++)
                {
                    sum += (double)xMK[(i * k) + p] * wNK[(j * k) + p];
                }

                yMN[(i * n) + j] = (float)sum;
            }
        }
    }

    /// <inheritdoc/>
    public void MatMulInputGradient(ReadOnlySpan<float> dyMN, ReadOnlySpan<float> wNK, Span<float> dxMK, int m, int n, int k, bool accumulate)
    {
        CheckMatMul(dxMK.Length, wNK.Length, dyMN.Length, m, n, k);
        for (var i = 0; i < m; i++)
        {
            for (var p = 0; p < k; p++)
            {
                double sum = accumulate ? dxMK[(i * k) + p] : 0;
                for (var j = 0; j < n; j++)
                {
                    sum += (double)dyMN[(i * n) + j] * wNK[(j * k) + p];
                }

                dxMK[(i * k) + p] = (float)sum;
            }
        }
    }

    /// <inheritdoc/>
    public void MatMulParameterGradient(ReadOnlySpan<float> dyMN, ReadOnlySpan<float> xMK, Span<float> dwNK, int m, int n, int k, bool accumulate)
    {
        CheckMatMul(xMK.Length, dwNK.Length, dyMN.Length, m, n, k);
        for (var j = 0; j < n; j++)
        {
            for (var p = 0; p < k; p++)
            {
                double sum = accumulate ? dwNK[(j * k) + p] : 0;
                for (var i = 0; i < m; i++)
                {
                    sum += (double)dyMN[(i * n) + j] * xMK[(i * k) + p];
                }

                dwNK[(j * k) + p] = (float)sum;
            }
        }
    }

    /// <inheritdoc/>
    public double SumOfSquares(ReadOnlySpan<float> x)
    {
        double sum = 0;
        foreach (var value in x)
        {
            sum += (double)value * value;
        }

        return sum;
    }

    /// <inheritdoc/>
    public void AdamW(Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> moment1, Span<float> moment2, in AdamWStep step)
    {
        Invariant.Check(gradients.Length == parameters.Length && moment1.Length == parameters.Length && moment2.Length == parameters.Length);
        for (var i = 0; i < parameters.Length; i++)
        {
            var gradient = (double)gradients[i] * step.GradientScale;
            var m = (step.Beta1 * (double)moment1[i]) + ((1 - (double)step.Beta1) * gradient);
            var v = (step.Beta2 * (double)moment2[i]) + ((1 - (double)step.Beta2) * gradient * gradient);
            var direction = m / step.Correction1 / (Math.Sqrt(v / step.Correction2) + step.Epsilon);
            moment1[i] = (float)m;
            moment2[i] = (float)v;
            parameters[i] = (float)(parameters[i] - (step.LearningRate * (direction + ((double)step.WeightDecay * parameters[i]))));
        }
    }

    private static void CheckMatMul(int xLength, int wLength, int yLength, int m, int n, int k)
    {
        Invariant.Check(m > 0 && n > 0 && k > 0);
        Invariant.Check(xLength == (long)m * k && wLength == (long)n * k && yLength == (long)m * n);
    }
}
