using Cairn.Base;

namespace Cairn.Compute;

/// <content>Operations that treat every row by itself: norm, gate, embedding, loss.</content>
public sealed partial class ReferenceKernels
{
    /// <inheritdoc/>
    public void RmsNorm(ReadOnlySpan<float> xRD, ReadOnlySpan<float> gainD, Span<float> yRD, Span<float> inverseRmsR, int rows, int dim, float epsilon)
    {
        Invariant.Check(xRD.Length == rows * dim && gainD.Length == dim && yRD.Length == rows * dim && inverseRmsR.Length == rows);
        for (var r = 0; r < rows; r++)
        {
            var x = xRD.Slice(r * dim, dim);
            var inverse = 1 / Math.Sqrt((SumOfSquares(x) / dim) + epsilon);
            inverseRmsR[r] = (float)inverse;
            for (var i = 0; i < dim; i++)
            {
                yRD[(r * dim) + i] = (float)(x[i] * inverse * gainD[i]);
            }
        }
    }

    /// <inheritdoc/>
    public void RmsNormBackward(
        ReadOnlySpan<float> dyRD, ReadOnlySpan<float> xRD, ReadOnlySpan<float> gainD, ReadOnlySpan<float> inverseRmsR,
        Span<float> dxRD, Span<float> dGainD, int rows, int dim)
    {
        Invariant.Check(dyRD.Length == rows * dim && xRD.Length == rows * dim && dxRD.Length == rows * dim);
        Invariant.Check(gainD.Length == dim && dGainD.Length == dim && inverseRmsR.Length == rows);
        for (var r = 0; r < rows; r++)
        {
            // With s = 1/rms: dx = s·(g∘dy) − x·s³·⟨g∘dy, x⟩/D.
            double inner = 0;
            double inverse = inverseRmsR[r];
            for (var i = 0; i < dim; i++)
            {
                inner += (double)dyRD[(r * dim) + i] * gainD[i] * xRD[(r * dim) + i];
            }

            for (var i = 0; i < dim; i++)
            {
                var straight = (double)dyRD[(r * dim) + i] * gainD[i] * inverse;
                var through = xRD[(r * dim) + i] * inverse * inverse * inverse * inner / dim;
                dxRD[(r * dim) + i] = (float)(dxRD[(r * dim) + i] + straight - through);
            }
        }

        for (var i = 0; i < dim; i++)
        {
            double sum = 0;
            for (var r = 0; r < rows; r++)
            {
                sum += (double)dyRD[(r * dim) + i] * xRD[(r * dim) + i] * inverseRmsR[r];
            }

            dGainD[i] = (float)sum;
        }
    }

    /// <inheritdoc/>
    public void SwiGlu(ReadOnlySpan<float> gateUpR2F, Span<float> actRF, int rows, int ffn)
    {
        Invariant.Check(gateUpR2F.Length == 2 * rows * ffn && actRF.Length == rows * ffn);
        for (var r = 0; r < rows; r++)
        {
            var gate = gateUpR2F.Slice(2 * r * ffn, ffn);
            var up = gateUpR2F.Slice(((2 * r) + 1) * ffn, ffn);
            for (var i = 0; i < ffn; i++)
            {
                actRF[(r * ffn) + i] = (float)(gate[i] * Sigmoid(gate[i]) * up[i]);
            }
        }
    }

    /// <inheritdoc/>
    public void SwiGluBackward(ReadOnlySpan<float> gateUpR2F, ReadOnlySpan<float> dActRF, Span<float> dGateUpR2F, int rows, int ffn)
    {
        Invariant.Check(gateUpR2F.Length == 2 * rows * ffn && dActRF.Length == rows * ffn && dGateUpR2F.Length == gateUpR2F.Length);
        for (var r = 0; r < rows; r++)
        {
            for (var i = 0; i < ffn; i++)
            {
                var gateAt = (2 * r * ffn) + i;
                double gate = gateUpR2F[gateAt];
                double up = gateUpR2F[gateAt + ffn];
                double dAct = dActRF[(r * ffn) + i];
                var sigmoid = Sigmoid(gate);
                dGateUpR2F[gateAt] = (float)(dAct * up * sigmoid * (1 + (gate * (1 - sigmoid))));
                dGateUpR2F[gateAt + ffn] = (float)(dAct * gate * sigmoid);
            }
        }
    }

    /// <inheritdoc/>
    public void Embed(ReadOnlySpan<int> tokensR, ReadOnlySpan<float> tableVD, Span<float> xRD, int dim)
    {
        Invariant.Check(xRD.Length == tokensR.Length * dim && tableVD.Length % dim == 0);
        for (var r = 0; r < tokensR.Length; r++)
        {
            tableVD.Slice(tokensR[r] * dim, dim).CopyTo(xRD.Slice(r * dim, dim));
        }
    }

    /// <inheritdoc/>
    public void EmbedBackward(ReadOnlySpan<int> tokensR, ReadOnlySpan<float> dxRD, Span<float> dTableVD, int dim)
    {
        Invariant.Check(dxRD.Length == tokensR.Length * dim && dTableVD.Length % dim == 0);
        for (var r = 0; r < tokensR.Length; r++)
        {
            for (var i = 0; i < dim; i++)
            {
                dTableVD[(tokensR[r] * dim) + i] += dxRD[(r * dim) + i];
            }
        }
    }

    /// <inheritdoc/>
    public void SoftmaxCrossEntropy(Span<float> logitsRV, ReadOnlySpan<int> targetsR, Span<float> lossesR, int rows, int vocab, float scale)
    {
        Invariant.Check(logitsRV.Length == rows * vocab && targetsR.Length == rows && lossesR.Length == rows);
        for (var r = 0; r < rows; r++)
        {
            var logits = logitsRV.Slice(r * vocab, vocab);
            var logSum = LogSumExp(logits);
            lossesR[r] = (float)(logSum - logits[targetsR[r]]);
            for (var j = 0; j < vocab; j++)
            {
                var probability = DeterministicMath.Exp(logits[j] - logSum);
                logits[j] = (float)(scale * (probability - (j == targetsR[r] ? 1 : 0)));
            }
        }
    }

    /// <inheritdoc/>
    public void CrossEntropy(ReadOnlySpan<float> logitsRV, ReadOnlySpan<int> targetsR, Span<float> lossesR, int rows, int vocab)
    {
        Invariant.Check(logitsRV.Length == rows * vocab && targetsR.Length == rows && lossesR.Length == rows);
        for (var r = 0; r < rows; r++)
        {
            var logits = logitsRV.Slice(r * vocab, vocab);
            lossesR[r] = (float)(LogSumExp(logits) - logits[targetsR[r]]);
        }
    }

    private static double LogSumExp(ReadOnlySpan<float> x)
    {
        var highest = double.NegativeInfinity;
        foreach (var value in x)
        {
            highest = Math.Max(highest, value);
        }

        double sum = 0;
        foreach (var value in x)
        {
            sum += DeterministicMath.Exp(value - highest);
        }

        return highest + DeterministicMath.Log(sum);
    }

    private static double Sigmoid(double x) => 1 / (1 + DeterministicMath.Exp(-x));
}
