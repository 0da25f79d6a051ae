namespace Cairn.Model;

/// <summary>What choosing a token takes of memory for a while; samplers that one thread asks one after another may share it.</summary>
/// <param name="vocabulary">Tokens (V).</param>
public sealed class SamplingSpace(int vocabulary)
{
    /// <summary>[V] logits as they were changed.</summary>
    internal double[] Scores { get; } = new double[vocabulary];

    /// <summary>[V] probabilities times a number that is the same for all.</summary>
    internal double[] Probabilities { get; } = new double[vocabulary];

    /// <summary>[V] ids, the candidates first.</summary>
    internal int[] Order { get; } = new int[vocabulary];
}
