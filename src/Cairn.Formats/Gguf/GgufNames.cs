using Cairn.Model;

namespace Cairn.Formats;

/// <summary>Names of tensors in GGUF, and the order of rows there: the family "llama" turns neighbouring pairs (2i, 2i + 1) of a head where ours turns halves (i, i
/// + E/2), so
/// the rows of queries and keys stand in another order.</summary>
internal static class GgufNames
{
    public const string Divisors = "rope_freqs.weight";

    // Other programs look at the divisors alone; the bounds are for us.
    public const string LowFrequency = "cairn.rope.low_frequency";
    public const string HighFrequency = "cairn.rope.high_frequency";
    public const string OriginalContext = "llama.rope.scaling.original_context_length";

    private static readonly (string Ours, string Theirs)[] OfLayers =
    [
        ("input_layernorm", "attn_norm"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"), ("post_attention_layernorm", "ffn_norm"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ];

    /// <summary>The name in GGUF of one of our tensors.</summary>
    public static string Of(ParameterTensor tensor)
    {
        const string Layers = "model.layers.";
        switch (tensor.Name)
        {
            case "model.embed_tokens.weight":
                return "token_embd.weight";
            case "model.norm.weight":
                return "output_norm.weight";
            case "lm_head.weight":
                return "output.weight";
        }

        var rest = tensor.Name[Layers.Length..];
        var dot = rest.IndexOf('.', StringComparison.Ordinal);
        var name = rest[(dot + 1)..^".weight".Length];
        return $"blk.{rest[..dot]}.{OfLayers.Single(pair => pair.Ours == name).Theirs}.weight";
    }

    /// <summary>How many heads share a tensor whose rows are in another order; 0 for all others.</summary>
    public static int HeadsOf(ParameterTensor tensor, ModelShape shape) =>
        tensor.Name.EndsWith("q_proj.weight", StringComparison.Ordinal) ? shape.Heads
        : tensor.Name.EndsWith("k_proj.weight", StringComparison.Ordinal) ? shape.KvHeads
        : 0;

    /// <summary>The row in GGUF of one of our rows.</summary>
    /// <param name="row">Of a matrix of queries or keys.</param>
    /// <param name="headDim">Width of a head.</param>
    public static int RowOf(int row, int headDim)
    {
        var (head, inside, half) = (row / headDim, row % headDim, headDim / 2);
        return (head * headDim) + (inside < half ? 2 * inside : (2 * (inside - half)) + 1);
    }
}
