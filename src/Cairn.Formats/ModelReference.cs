using System.Text;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>A text and its ids.</summary>
/// <param name="Text">The text.</param>
/// <param name="Special">True if the texts of special tokens are read as those tokens.</param>
/// <param name="Ids">The ids, without a token that begins a text.</param>
public sealed record ReferenceText(string Text, bool Special, int[] Ids);

/// <summary>A stretch of text and how well each of its tokens was foreseen.</summary>
/// <param name="Ids">The ids.</param>
/// <param name="Losses">Of each from the second on, in nats.</param>
public sealed record ReferenceWindow(int[] Ids, double[] Losses);

/// <summary>The likeliest continuation.</summary>
/// <param name="Prompt">Ids at the beginning.</param>
/// <param name="Ids">The tokens that follow.</param>
/// <param name="Gaps">By how much the logit of each exceeded the next best: where that is small, another order of sums may choose otherwise.</param>
public sealed record ReferenceContinuation(int[] Prompt, int[] Ids, double[] Gaps);

/// <summary>What <c>checkpoint reference</c> prints: what a model gives, for comparison with other programs.</summary>
/// <param name="Model">The model's path.</param>
/// <param name="Texts">Texts and their ids.</param>
/// <param name="Windows">Stretches of text with losses.</param>
/// <param name="Perplexity">e to the mean of all losses.</param>
/// <param name="Greedy">The likeliest continuation.</param>
public sealed record ModelReference(string Model, ReferenceText[] Texts, ReferenceWindow[] Windows, double Perplexity, ReferenceContinuation Greedy)
{
    private const int WindowMax = 512, TokensMax = 1 << 14;

    // What tokenizers stumble over.
    private static readonly string[] HardTexts =
    [
        "The quick brown fox jumps over the lazy dog.", "", " ", "  ", "   leading and trailing   ", "\t\ttabs\tand  spaces \n\n\nlines\r\n\r\nend\n",
        "I'm, you're, she'd, they'll, we've, IT'S, can't 'twas rock'n'roll", "12345 1,234.56 007 3.14159 ½ ² Ⅷ ٣٤٥ 1234567890123", "naïve café — “quotes” … œuvre",
        "e\u0301 is e with an accent; a\u030A\u0323 has two", "日本語のテキスト。中文字符，标点。한국어 문장", "Привет, мир! Ελληνικά עברית العربية हिन्दी ไทย",
        "👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 emoji🎉in🎉words ❤️", "x = {'a': [1, 2], \"b\": None}  # comment\n\tif (x != y) { return; }", "https://example.org/a?b=c&d=%20e#f",
        "snake_case camelCase SCREAMING_CASE kebab-case",
        "\u00A0\u2003\u3000spaces of other kinds\u200B\uFEFF", "\u0000\u0001\u001F\u007F", "ſ 'ſ K å ﬁ", "<|not_special|> <s> </s> [INST] <0x0A>",
        "!!!???...,,,;;;:::---___===", "a\nb\n\nc\n \n  \nd", new string('a', 300), new string(' ', 40) + "x", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𓀀 \U0010FFFD",
    ];

    /// <summary>Computes it.</summary>
    /// <param name="model">Any.</param>
    /// <param name="text">What losses are measured on; null for the hard texts.</param>
    /// <param name="tokensMax">Tokens of the continuation.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <exception cref="InputException">The model holds numbers that are not finite, or the text a token that has no row of the embedding.</exception>
    public static ModelReference Of(ModelFile model, string? text, int tokensMax, int threads)
    {
        var tokenizer = model.Tokenizer;
        using var parameters = model.LoadParameters();
        using var kernels = new CpuKernels(threads);
        var context = Math.Min(model.Shape.Context, WindowMax);
        using var reader = new LogitReader(parameters, kernels, context);
        var texts = HardTexts.Select(hard => new ReferenceText(hard, false, tokenizer.Encode(hard))).Concat(Specials(tokenizer)).ToArray();
        var ids = tokenizer.Encode(text ?? string.Join('\n', HardTexts));
        var begin = tokenizer.BosId ?? tokenizer.EosId;
        var windows = ids.Take(TokensMax).Chunk(context - 1).Where(part => part.Length > 1 || ids.Length == 1)
            .Select(part => WindowOf(reader, [begin, .. part])).ToArray();
        var losses = windows.SelectMany(window => window.Losses).ToArray();
        var prompt = (int[])[begin, .. ids.Take(Math.Max(1, Math.Min(16, context / 4)))];
        return new ModelReference(
            model.Path, texts, windows, losses.Length == 0 ? 0 : Math.Exp(losses.Average()), Continue(reader, prompt, Math.Min(tokensMax, context - prompt.Length)));
    }

    private static IEnumerable<ReferenceText> Specials(Tokenizer tokenizer)
    {
        foreach (var id in Enumerable.Range(0, tokenizer.VocabularySize).Where(id => tokenizer.Parts.Kinds[id] == TokenKind.Control).Take(16))
        {
            var text = $"before {Encoding.UTF8.GetString(tokenizer.Parts.Tokens[id])} after";
            yield return new ReferenceText(text, true, tokenizer.Encode(text, allowSpecial: true));
        }
    }

    private static ReferenceWindow WindowOf(LogitReader reader, int[] ids)
    {
        var losses = new double[ids.Length - 1];
        reader.Read(ids, (place, logits) =>
        {
            if (place < losses.Length)
            {
                var largest = double.NegativeInfinity;
                foreach (var logit in logits)
                {
                    largest = Math.Max(largest, logit);
                }

                var sum = 0.0;
                foreach (var logit in logits)
                {
                    sum += Math.Exp(logit - largest);
                }

                losses[place] = Math.Log(sum) + largest - logits[ids[place + 1]];
            }
        });
        return new ReferenceWindow(ids, losses);
    }

    private static ReferenceContinuation Continue(LogitReader reader, int[] prompt, int count)
    {
        var (text, gaps) = (prompt.ToList(), new List<double>());
        for (var made = 0; made < count; made++)
        {
            var (best, second, id) = (float.NegativeInfinity, float.NegativeInfinity, 0);
            reader.Read([.. text], (place, logits) =>
            {
                for (var i = 0; place == text.Count - 1 && i < logits.Length; i++)
                {
                    (best, second, id) = logits[i] > best ? (logits[i], best, i) : (best, Math.Max(second, logits[i]), id);
                }
            });
            text.Add(id);
            gaps.Add(best - (double)second);
        }

        return new ReferenceContinuation(prompt, [.. text.Skip(prompt.Length)], [.. gaps]);
    }
}

/// <summary>A reference as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ModelReference))]
public sealed partial class ModelReferenceJson : JsonSerializerContext;
