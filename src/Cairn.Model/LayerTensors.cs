namespace Cairn.Model;

/// <summary>The nine tensors of one transformer layer, in the order of the flat buffer.</summary>
/// <param name="AttentionNorm">[D]: gain before attention.</param>
/// <param name="Query">[H·E, D].</param>
/// <param name="Key">[KV·E, D]: follows the queries.</param>
/// <param name="Value">[KV·E, D]: follows the keys.</param>
/// <param name="Output">[D, H·E].</param>
/// <param name="FeedForwardNorm">[D]: gain before the feed-forward.</param>
/// <param name="Gate">[F, D].</param>
/// <param name="Up">[F, D]: follows the gate.</param>
/// <param name="Down">[D, F].</param>
public sealed record LayerTensors(
    ParameterTensor AttentionNorm, ParameterTensor Query, ParameterTensor Key, ParameterTensor Value, ParameterTensor Output,
    ParameterTensor FeedForwardNorm, ParameterTensor Gate, ParameterTensor Up, ParameterTensor Down)
{
    /// <summary>Queries, keys and values as one [QkvWidth, D] matrix of a flat span.</summary>
    internal Span<float> Qkv(Span<float> flat) => ParameterTensor.Fused(flat, Query, Value);

    /// <summary>Gate and up as one [2F, D] matrix of a flat span.</summary>
    internal Span<float> GateUp(Span<float> flat) => ParameterTensor.Fused(flat, Gate, Up);
}
