using Cairn.Base;

namespace Cairn.Compute;

/// <content>Matrix products: the engine's, in the three forms that a linear layer needs.</content>
public sealed unsafe partial class CpuKernels
{
    /// <inheritdoc/>
    public void MatMul(ReadOnlySpan<float> xMK, ReadOnlySpan<float> wNK, Span<float> yMN, int m, int n, int k, bool accumulate)
    {
        Invariant.Check(xMK.Length == (long)m * k && wNK.Length == (long)n * k && yMN.Length == (long)m * n);
        fixed (float* x = xMK, w = wNK, y = yMN)
        {
            _matMul.Multiply(x, k, transposeA: false, w, k, transposeB: true, y, n, m, n, k, accumulate);
        }
    }

    /// <inheritdoc/>
    public void MatMulInputGradient(ReadOnlySpan<float> dyMN, ReadOnlySpan<float> wNK, Span<float> dxMK, int m, int n, int k, bool accumulate)
    {
        Invariant.Check(dxMK.Length == (long)m * k && wNK.Length == (long)n * k && dyMN.Length == (long)m * n);
        fixed (float* dy = dyMN, w = wNK, dx = dxMK)
        {
            _matMul.Multiply(dy, n, transposeA: false, w, k, transposeB: false, dx, k, m, k, n, accumulate);
        }
    }

    /// <inheritdoc/>
    public void MatMulParameterGradient(ReadOnlySpan<float> dyMN, ReadOnlySpan<float> xMK, Span<float> dwNK, int m, int n, int k, bool accumulate)
    {
        Invariant.Check(xMK.Length == (long)m * k && dwNK.Length == (long)n * k && dyMN.Length == (long)m * n);
        fixed (float* dy = dyMN, x = xMK, dw = dwNK)
        {
            _matMul.Multiply(dy, n, transposeA: true, x, k, transposeB: false, dw, k, n, k, m, accumulate);
        }
    }
}
