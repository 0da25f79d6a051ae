using System.Globalization;
using System.Text;
using Cairn.Data;
using Cairn.Formats;

namespace Cairn.Cli;

/// <summary>What <c>checkpoint inspect</c> shows.</summary>
/// <param name="Path">Where the model lies.</param>
/// <param name="Format">In which format.</param>
/// <param name="Parameters">How many.</param>
/// <param name="Bytes">Of all tensors, as stored.</param>
/// <param name="Shape">Sizes by name.</param>
/// <param name="Types">How numbers are stored: tensors of each type.</param>
/// <param name="Tokenizer">What the tokenizer is.</param>
/// <param name="TokenizerDigest">And its name.</param>
/// <param name="BeginToken">What begins a text, or null.</param>
/// <param name="EndTokens">What ends a text.</param>
/// <param name="ChatTemplate">True if there is one.</param>
internal sealed record ModelDescription(
    string Path, string Format, long Parameters, long Bytes, IReadOnlyDictionary<string, string> Shape, IReadOnlyDictionary<string, int> Types, string Tokenizer,
    string TokenizerDigest, int? BeginToken, IReadOnlyList<int> EndTokens, bool ChatTemplate)
{
    /// <summary>Describes a model.</summary>
    public static ModelDescription Of(ModelFile model)
    {
        var (shape, tokenizer) = (model.Shape, model.Tokenizer);
        var sizes = new Dictionary<string, string>
        {
            ["vocabulary"] = Text(shape.Vocabulary),
            ["width"] = Text(shape.Dim),
            ["layers"] = Text(shape.Layers),
            ["heads"] = $"{shape.Heads} of {shape.HeadDim}, {shape.KvHeads} of keys and values",
            ["feed-forward"] = Text(shape.FeedForward),
            ["context"] = Text(shape.Context),
            ["rotary base"] = shape.RopeTheta.ToString(CultureInfo.InvariantCulture) + (shape.RopeScaling is not { } scaling ? "" : string.Create(
                CultureInfo.InvariantCulture, $", stretched {scaling.Factor} times{(scaling.Llama3 is { } blend ? $" from {blend.OriginalContext} (llama3)" : "")}")),
            ["head"] = shape.TiedHead ? "tied to the embedding" : "its own",
        };
        return new ModelDescription(
            model.Path, model.Format, shape.ParameterCount, model.Tensors.Sum(tensor => tensor.Bytes), sizes,
            model.Tensors.GroupBy(tensor => NumberTypes.NameOf(tensor.Type)).OrderBy(group => group.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count()),
            TokenizerText(tokenizer.Parts), tokenizer.Digest.ToString(), tokenizer.BosId,
            [.. ((int[])[tokenizer.EosId, .. model.Generation.EndToken is { } end ? [end] : (int[])[], .. model.Generation.OtherEnds]).Distinct()],
            model.ChatTemplate is not null);
    }

    /// <summary>For people.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        void Line(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{name,-14}{value}\n");
        Line("model", $"{Path} ({Format})");
        Line("parameters", string.Create(CultureInfo.InvariantCulture, $"{Parameters:N0} in {Bytes / 1e6:N1} MB"));
        foreach (var (name, value) in Shape)
        {
            Line(name, value);
        }

        Line("tensors", string.Join(", ", Types.Select(type => $"{type.Value} {type.Key}")));
        Line("tokenizer", $"{Tokenizer}, digest {TokenizerDigest[..8]}");
        Line("begins with", BeginToken?.ToString(CultureInfo.InvariantCulture) ?? "nothing");
        Line("ends with", string.Join(", ", EndTokens));
        Line("chat template", ChatTemplate ? "yes" : "none");
        return text.ToString().TrimEnd('\n');
    }

    private static string TokenizerText(TokenizerParts parts) => string.Create(
        CultureInfo.InvariantCulture,
        $"{parts.Tokens.Count:N0} tokens of " +
        $"{(parts.Family == TokenizerFamily.SentencePiece ? "characters" : $"bytes, words as in {parts.Family}")}, {parts.Merges.Count:N0} merges");

    private static string Text(int value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
