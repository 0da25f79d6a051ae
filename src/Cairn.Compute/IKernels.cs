namespace Cairn.Compute;

/// <summary>The shape of one attention call: rows are tokens of <paramref name="Batch"/> sequences of <paramref name="Length"/>, one after the other.</summary>
/// <param name="Batch">Sequences.</param>
/// <param name="Length">Tokens per sequence (T).</param>
/// <param name="Heads">Query heads (H).</param>
/// <param name="KvHeads">Key/value heads (KV); divides <paramref name="Heads"/>.</param>
/// <param name="HeadDim">Width of a head (E); even.</param>
public readonly record struct AttentionShape(int Batch, int Length, int Heads, int KvHeads, int HeadDim)
{
    /// <summary>Rows in all: Batch × Length.</summary>
    public int Rows => Batch * Length;

    /// <summary>Floats per row of the packed projections: queries of all heads, then keys, then values.</summary>
    public int QkvWidth => (Heads + (2 * KvHeads)) * HeadDim;

    /// <summary>Floats per row of the attention's output.</summary>
    public int OutWidth => Heads * HeadDim;
}

/// <summary>The numbers of one AdamW step (decoupled weight decay; Loshchilov and Hutter 2019), the same for every element of a tensor.</summary>
/// <param name="LearningRate">Rate of this step.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root.</param>
/// <param name="WeightDecay">Fraction of the parameter taken per unit of learning rate.</param>
/// <param name="Correction1">1 − β₁ᵗ, computed by the caller in double and rounded once.</param>
/// <param name="Correction2">1 − β₂ᵗ, likewise.</param>
/// <param name="GradientScale">Every gradient is multiplied by this first (clipping by the global norm).</param>
public readonly record struct AdamWStep(
    float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, float Correction1, float Correction2, float GradientScale);

/// <summary>The seam of computing: coarse forward/backward pairs over row-major fp32. Implementations: scalar reference, SIMD CPU, later CUDA.</summary>
/// <remarks>Letters: R rows (tokens), T length, D model width, F feed-forward width, V vocabulary, H/KV heads, E head width, M×N×K a matrix product.
/// Outputs are overwritten unless the text says "added to". Outputs never alias inputs unless the text allows it. Spans are exactly as long as the shapes say.
/// No call allocates. The CPU implementation gives the same bits for any thread count and vector width (Tier T2); the reference computes in double.</remarks>
public interface IKernels : IDisposable
{
    /// <summary>How many threads share one call.</summary>
    int Threads { get; }

    /// <summary>y[M,N] = x[M,K] · w[N,K]ᵀ (added to y when <paramref name="accumulate"/>).</summary>
    void MatMul(ReadOnlySpan<float> xMK, ReadOnlySpan<float> wNK, Span<float> yMN, int m, int n, int k, bool accumulate);

    /// <summary>dx[M,K] = dy[M,N] · w[N,K] (added to dx when <paramref name="accumulate"/>).</summary>
    void MatMulInputGradient(ReadOnlySpan<float> dyMN, ReadOnlySpan<float> wNK, Span<float> dxMK, int m, int n, int k, bool accumulate);

    /// <summary>dw[N,K] = dy[M,N]ᵀ · x[M,K] (added to dw when <paramref name="accumulate"/>).</summary>
    void MatMulParameterGradient(ReadOnlySpan<float> dyMN, ReadOnlySpan<float> xMK, Span<float> dwNK, int m, int n, int k, bool accumulate);

    /// <summary>y = x · gain / rms(x) per row, rms(x) = √(mean(x²) + ε); keeps 1/rms for the backward pass (Zhang and Sennrich 2019).</summary>
    void RmsNorm(ReadOnlySpan<float> xRD, ReadOnlySpan<float> gainD, Span<float> yRD, Span<float> inverseRmsR, int rows, int dim, float epsilon);

    /// <summary>Gradient of <see cref="RmsNorm"/>: dx is <b>added to</b> (the residual stream's gradient is already there), dGain is overwritten.</summary>
    void RmsNormBackward(
        ReadOnlySpan<float> dyRD, ReadOnlySpan<float> xRD, ReadOnlySpan<float> gainD, ReadOnlySpan<float> inverseRmsR,
        Span<float> dxRD, Span<float> dGainD, int rows, int dim);

    /// <summary>Rotates queries and keys in place by their position, half-split pairs (i, i + E/2) as in Hugging Face's Llama (Su et al. 2021).
    /// <paramref name="inverse"/> rotates back: the backward pass over gradients.</summary>
    void Rope(Span<float> qkv, RopeTable table, in AttentionShape shape, bool inverse);

    /// <summary>Causal grouped-query attention: out = softmax(q kᵀ/√E) v within each sequence. Keeps the log-sum-exp of every (sequence, head, row) for the
    /// backward pass; never stores the T×T matrix of more than one head per thread.</summary>
    /// <param name="qkv">[R, QkvWidth]: after <see cref="Rope"/>.</param>
    /// <param name="outR">[R, OutWidth].</param>
    /// <param name="lse">[Batch, Heads, T].</param>
    /// <param name="shape">The shape.</param>
    void Attention(ReadOnlySpan<float> qkv, Span<float> outR, Span<float> lse, in AttentionShape shape);

    /// <summary>Gradient of <see cref="Attention"/>: dQkv overwritten (before the inverse rotation).</summary>
    void AttentionBackward(
        ReadOnlySpan<float> dOutR, ReadOnlySpan<float> qkv, ReadOnlySpan<float> outR, ReadOnlySpan<float> lse, Span<float> dQkv, in AttentionShape shape);

    /// <summary>One new token of one sequence against a cache (generation): out[H·E] from q[H·E] and <paramref name="length"/> cached rows of keys and values.</summary>
    /// <param name="q">[Heads · HeadDim], rotated.</param>
    /// <param name="keys">[capacity, KvHeads · HeadDim], rotated; the first <paramref name="length"/> rows are read, the newest included.</param>
    /// <param name="values">[capacity, KvHeads · HeadDim].</param>
    /// <param name="outHE">[Heads · HeadDim].</param>
    /// <param name="length">Rows in the cache; at least 1.</param>
    /// <param name="shape">Heads, KvHeads and HeadDim are used.</param>
    void AttentionStep(
        ReadOnlySpan<float> q, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, Span<float> outHE, int length, in AttentionShape shape);

    /// <summary>act = silu(gate) · up, with gate = first F and up = last F floats of each row (Shazeer 2020).</summary>
    void SwiGlu(ReadOnlySpan<float> gateUpR2F, Span<float> actRF, int rows, int ffn);

    /// <summary>Gradient of <see cref="SwiGlu"/>.</summary>
    void SwiGluBackward(ReadOnlySpan<float> gateUpR2F, ReadOnlySpan<float> dActRF, Span<float> dGateUpR2F, int rows, int ffn);

    /// <summary>x[r] = table[tokens[r]]. Token ids are below V: the caller has checked.</summary>
    void Embed(ReadOnlySpan<int> tokensR, ReadOnlySpan<float> tableVD, Span<float> xRD, int dim);

    /// <summary>dTable[tokens[r]] += dx[r], rows in order; dTable is added to.</summary>
    void EmbedBackward(ReadOnlySpan<int> tokensR, ReadOnlySpan<float> dxRD, Span<float> dTableVD, int dim);

    /// <summary>loss[r] = −log softmax(logits[r])[target[r]] in nats; logits are <b>replaced</b> by their gradients times <paramref name="scale"/>.</summary>
    void SoftmaxCrossEntropy(Span<float> logitsRV, ReadOnlySpan<int> targetsR, Span<float> lossesR, int rows, int vocab, float scale);

    /// <summary>The losses alone; logits are not changed. Same bits in the losses as <see cref="SoftmaxCrossEntropy"/>.</summary>
    void CrossEntropy(ReadOnlySpan<float> logitsRV, ReadOnlySpan<int> targetsR, Span<float> lossesR, int rows, int vocab);

    /// <summary>Σ x² in double, in a fixed order.</summary>
    double SumOfSquares(ReadOnlySpan<float> x);

    /// <summary>One AdamW step in place over parameters and both moments.</summary>
    void AdamW(Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> moment1, Span<float> moment2, in AdamWStep step);
}
