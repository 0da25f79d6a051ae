using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Model;

/// <summary>The shape of a Llama-family transformer (Touvron et al. 2023): pre-norm RMSNorm, rotary positions, grouped-query attention,
/// SwiGLU, no biases.
/// Everything about sizes follows from it: parameters, activations, cost, files.</summary>
/// <param name="Vocabulary">Token ids are below it (V); at least 2.</param>
/// <param name="Dim">Width of the residual stream (D); a multiple of <paramref name="Heads"/> where no other width of a head is given.</param>
/// <param name="Layers">Transformer layers (L).</param>
/// <param name="Heads">Query heads (H).</param>
/// <param name="KvHeads">Key/value heads; divides <paramref name="Heads"/>.</param>
/// <param name="FeedForward">Hidden width of the SwiGLU (F).</param>
/// <param name="Context">The longest sequence in tokens.</param>
/// <param name="RopeTheta">Base of the rotary angles; above 1.</param>
/// <param name="NormEpsilon">Added to the mean square inside every norm; above 0.</param>
/// <param name="TiedHead">The head uses the embedding's matrix.</param>
/// <param name="HeadWidth">Width of a head where it is not <paramref name="Dim"/> over <paramref name="Heads"/>; else null.</param>
/// <param name="RopeScaling">How angles are stretched to reach beyond the context of the first training; null for not at all.</param>
public sealed record ModelShape(
    int Vocabulary, int Dim, int Layers, int Heads, int KvHeads, int FeedForward, int Context,
    double RopeTheta = 10_000, float NormEpsilon = 1e-5f, bool TiedHead = true, int? HeadWidth = null, RopeScaling? RopeScaling = null)
{
    private const int SizeMax = 1 << 24;

    // Attention holds a head's keys, values and their gradients of a whole text, several times: well below 2^31 floats.
    private const int HeadOfTextMax = 1 << 27;

    /// <summary>Width of a head (E).</summary>
    public int HeadDim => HeadWidth ?? Dim / Heads;

    /// <summary>Width of all query heads, and of the output of attention before its projection (H·E).</summary>
    public int AttentionWidth => Heads * HeadDim;

    /// <summary>Rows of the fused query, key and value matrix.</summary>
    public int QkvWidth => (Heads + (2 * KvHeads)) * HeadDim;

    /// <summary>All parameters. A tied head is counted once.</summary>
    public long ParameterCount => MatrixParameters + ((long)Dim * ((2 * Layers) + 1)) + (TiedHead ? 0 : (long)Vocabulary * Dim);

    /// <summary>Parameters of the matrices a token is multiplied with: the layers' and the head's once; not the embedding, not the norms
    /// (N_matmul).</summary>
    public long MatrixParameters => (Layers * (((long)QkvWidth * Dim) + ((long)AttentionWidth * Dim) + (3L * FeedForward * Dim))) + ((long)Vocabulary * Dim);

    /// <summary>Floating-point operations of training on one token, 6·N_matmul + 12·L·H·E·T: the formula of PaLM (Chowdhery et al. 2022) with
    /// full, not causally
    /// halved, attention.</summary>
    /// <param name="length">Tokens per sequence (T).</param>
    public long FlopsPerToken(int length) => (6 * MatrixParameters) + (12L * Layers * AttentionWidth * length);

    /// <summary>The shape of attention over a batch of this model.</summary>
    /// <param name="batch">Sequences.</param>
    /// <param name="length">Tokens per sequence.</param>
    public AttentionShape Attention(int batch, int length) => new(batch, length, Heads, KvHeads, HeadDim);

    /// <summary>Refuses a text that the model cannot read: published tokenizers know tokens that were added without a row of the embedding.</summary>
    /// <param name="ids">What is to be read or foreseen.</param>
    /// <exception cref="InputException">An id has no row.</exception>
    /// <remarks>Cost: one comparison an id.</remarks>
    public void RequireRows(ReadOnlySpan<int> ids)
    {
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)Vocabulary)
            {
                throw new InputException(
                    $"the text holds token {id}, but this model's embedding has only {Vocabulary} rows, 0 to {Vocabulary - 1}: " +
                    "leave the words out that become this token, or take the tokenizer that belongs to these parameters.");
            }
        }
    }

    /// <summary>Everything that is wrong with the shape, one sentence each; empty if nothing is.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        void Need(bool holds, string sentence)
        {
            if (!holds)
            {
                faults.Add(sentence);
            }
        }

        Need(Vocabulary is >= 2 and <= SizeMax, $"vocabulary {Vocabulary} must lie in 2…{SizeMax}");
        Need(Dim is >= 2 and <= SizeMax, $"dim {Dim} must lie in 2…{SizeMax}");
        Need(Layers is >= 1 and <= 4096, $"layers {Layers} must lie in 1…4096");
        Need(Heads is >= 1 and <= 4096, $"heads {Heads} must lie in 1…4096");
        Need(FeedForward is >= 1 and <= SizeMax, $"feed-forward width {FeedForward} must lie in 1…{SizeMax}");
        Need(Context is >= 1 and <= 1 << 20, $"context {Context} must lie in 1…{1 << 20}");
        Need(HeadWidth is not null || Heads < 1 || Dim % Heads == 0, $"dim {Dim} must be a multiple of heads {Heads}");
        Need(HeadWidth is not null || Heads < 1 || Dim / Heads % 2 == 0, $"dim {Dim} over heads {Heads} must be even: rotary positions turn pairs");
        Need(HeadWidth is null or (>= 2 and <= 1 << 16) && HeadWidth % 2 != 1, $"width of a head {HeadWidth} must be even and lie in 2…{1 << 16}");
        Need(HeadWidth is null || Heads < 1 || Dim % Heads != 0 || HeadWidth != Dim / Heads, $"width of a head {HeadWidth} is dim over heads: leave it out");
        Need(Heads < 1 || (long)Heads * HeadDim <= SizeMax, $"all heads together are wider than {SizeMax}");
        Need(
            Heads < 1 || (long)Context * HeadDim <= HeadOfTextMax,
            $"context {Context} times width of a head {(Heads < 1 ? 0 : HeadDim)} must be at most {HeadOfTextMax}: attention works on one head of a whole text");
        Need(KvHeads >= 1 && KvHeads <= Heads && Heads % KvHeads == 0, $"key/value heads {KvHeads} must divide heads {Heads}");
        Need(double.IsFinite(RopeTheta) && RopeTheta > 1, $"rotary base {RopeTheta} must be above 1");
        Need(float.IsFinite(NormEpsilon) && NormEpsilon > 0, $"norm epsilon {NormEpsilon} must be above 0");
        faults.AddRange(RopeScaling?.Faults() ?? []);
        return faults;
    }

    /// <summary>The table of rotary angles of this model.</summary>
    /// <param name="length">Positions.</param>
    public RopeTable Rope(int length) => new(length, HeadDim, RopeTheta, RopeScaling?.Divisors(HeadDim, RopeTheta));

    /// <summary>Refuses a shape that cannot be built, with all its faults at once.</summary>
    /// <exception cref="InputException">The shape has faults.</exception>
    public void Validate()
    {
        var faults = Faults();
        if (faults.Count > 0)
        {
            throw new InputException("the model's shape cannot be used: " + string.Join("; ", faults));
        }
    }
}
