using System.Text;
using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Evaluation.Tests;

/// <summary>A model whose probabilities can be worked out by hand, and a real one.</summary>
internal static class Known
{
    private const int Dim = 16;

    /// <summary>Byte-level, with a few merges.</summary>
    public static Tokenizer Tokenizer { get; } = BpeTrainer.Train(
        new Corpus(
            [
                .. Enumerable.Range(0, 40).Select(i => new Document(
                    Encoding.UTF8.GetBytes($"Question: the stone {i} carries the path. Answer: a traveller finds the hill, slowly."), i % 20 == 3)),
            ],
            "test"),
        300);

    public static ModelShape Shape(int context) => new(Tokenizer.VocabularySize, Dim, 2, 2, 1, 24, context, TiedHead: false);

    /// <summary>A model drawn at random, all of whose layers do something.</summary>
    public static Parameters Drawn(int context = 64, ulong seed = 3)
    {
        var parameters = Initializer.Create(new ParameterLayout(Shape(context)), seed);
        var random = new SeededRandom(seed, "known");
        foreach (ref var value in parameters.Span)
        {
            value += (float)(0.2 * random.NextNormal());
        }

        return parameters;
    }

    /// <summary>A model whose layers add nothing: what follows depends on the last token alone, so that its probabilities can be worked out apart.</summary>
    public static Parameters Bigram(int context = 64)
    {
        var parameters = Drawn(context);
        for (var layer = 0; layer < parameters.Shape.Layers; layer++)
        {
            var tensors = parameters.Layout[layer];
            parameters[tensors.Output].Clear();
            parameters[tensors.Down].Clear();
        }

        return parameters;
    }

    /// <summary>The logarithm of the probability of one token after another in <see cref="Bigram"/>, in double.</summary>
    public static double LogProbability(Parameters bigram, int after, int next)
    {
        var layout = bigram.Layout;
        var embedding = bigram[layout.Embedding].Slice(after * Dim, Dim);
        var meanSquare = 0.0;
        foreach (var value in embedding)
        {
            meanSquare += (double)value * value / Dim;
        }

        var logits = new double[bigram.Shape.Vocabulary];
        for (var token = 0; token < logits.Length; token++)
        {
            for (var d = 0; d < Dim; d++)
            {
                logits[token] += bigram[layout.Head][(token * Dim) + d] * (double)bigram[layout.FinalNorm][d] * embedding[d]
                    / Math.Sqrt(meanSquare + bigram.Shape.NormEpsilon);
            }
        }

        var largest = logits.Max();
        return logits[next] - largest - Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
    }

    /// <summary>The same of a continuation after a context.</summary>
    public static double LogProbability(Parameters bigram, string context, string continuation)
    {
        var (given, all) = (Tokenizer.Encode(context).Length, Tokenizer.Encode(context + continuation));
        return Enumerable.Range(given, all.Length - given).Sum(at => LogProbability(bigram, all[at - 1], all[at]));
    }
}
