using Cairn.Base;

namespace Cairn.Inference;

/// <summary>Probabilities of tokens from logits.</summary>
internal static class Likelihoods
{
    /// <summary>The probability of a token and of the likeliest ones.</summary>
    /// <param name="logits">[V].</param>
    /// <param name="token">The token.</param>
    /// <param name="count">How many of the likeliest; ties go to the lower id.</param>
    public static LikelihoodAt Of(ReadOnlySpan<float> logits, int token, int count)
    {
        var largest = double.NegativeInfinity;
        foreach (var logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += DeterministicMath.Exp(logit - largest);
        }

        var whole = DeterministicMath.Log(sum) + largest;
        var likeliest = new List<TokenLikelihood>(count);
        foreach (var id in Likeliest(logits, count))
        {
            likeliest.Add(new TokenLikelihood(id, logits[id] - whole));
        }

        return new LikelihoodAt(new TokenLikelihood(token, logits[token] - whole), likeliest);
    }

    private static int[] Likeliest(ReadOnlySpan<float> logits, int count)
    {
        // The first to leave is the least likely, of equals the one with the highest id.
        var queue = new PriorityQueue<int, (float, int)>();
        for (var id = 0; id < logits.Length && count > 0; id++)
        {
            if (queue.Count < count)
            {
                queue.Enqueue(id, (logits[id], -id));
            }
            else if (logits[id] > logits[queue.Peek()])
            {
                queue.DequeueEnqueue(id, (logits[id], -id));
            }
        }

        var ids = new int[queue.Count];
        for (var i = ids.Length - 1; i >= 0; i--)
        {
            ids[i] = queue.Dequeue();
        }

        return ids;
    }
}
