using System.Text;
using System.Text.Json;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Checks a parsed tokenizer.json and builds the tokenizer. The file may come from anywhere: whatever it says, the answer is a tokenizer that loses no bytes
/// or one sentence.</summary>
internal sealed class TokenizerJsonReader
{
    private const int TokenCharactersMax = 1 << 12;
    private readonly string _path;
    private readonly Dictionary<string, int> _idOfName = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _special = [];

    /// <summary>Begins.</summary>
    /// <param name="path">Named in every refusal.</param>
    public TokenizerJsonReader(string path)
    {
        _path = path;
    }

    /// <summary>Reads the document.</summary>
    /// <param name="root">The whole file.</param>
    /// <exception cref="InputException">It is damaged or of another kind.</exception>
    public Tokenizer Read(JsonElement root)
    {
        Require(root.ValueKind == JsonValueKind.Object, "it is no JSON object");
        Require(Property(root, "normalizer").ValueKind is JsonValueKind.Null or JsonValueKind.Undefined, "it changes text before encoding (normalizer)");
        var preTokenizer = ReadPreTokenizer(Property(root, "pre_tokenizer"));
        var model = Property(root, "model");
        Require(model.ValueKind == JsonValueKind.Object && TextOf(model, "type") is null or "BPE", "its model is not BPE");
        Require(Property(model, "dropout").ValueKind is JsonValueKind.Null or JsonValueKind.Undefined, "its merges are random (dropout)");
        Require(IsEmpty(model, "continuing_subword_prefix") && IsEmpty(model, "end_of_word_suffix"), "it marks word ends, so it is not byte-level");
        ReadVocabulary(Property(model, "vocab"));
        ReadAddedTokens(Property(root, "added_tokens"));
        var (tokens, specialIds, idOfByte) = BuildTokens();
        var merges = ReadMerges(Property(model, "merges"));
        var vocabulary = new Vocabulary(tokens, merges, specialIds, idOfByte, Property(model, "ignore_merges").ValueKind == JsonValueKind.True);
        Require(Tokenizer.FindEnd(vocabulary) >= 0, $"it has no special token that ends a document, such as {Tokenizer.EndOfText}");
        return new Tokenizer(vocabulary, preTokenizer);
    }

    private PreTokenizer ReadPreTokenizer(JsonElement element)
    {
        const string Kind = "its pre_tokenizer is not the Split pattern of Llama 3 or Qwen 2 followed by ByteLevel";
        Require(TextOf(element, "type") == "Sequence", Kind);
        var parts = Property(element, "pretokenizers");
        Require(parts.ValueKind == JsonValueKind.Array && parts.GetArrayLength() == 2, Kind);
        var (split, bytes) = (parts[0], parts[1]);
        Require(TextOf(split, "type") == "Split" && TextOf(split, "behavior") is "Isolated" or "isolated", Kind);
        Require(Property(split, "invert").ValueKind == JsonValueKind.False, Kind);
        Require(TextOf(bytes, "type") == "ByteLevel" && Property(bytes, "use_regex").ValueKind == JsonValueKind.False, Kind);
        Require(Property(bytes, "add_prefix_space").ValueKind == JsonValueKind.False, Kind);
        var preTokenizer = PreTokenizer.ForPattern(TextOf(Property(split, "pattern"), "Regex"));
        Require(preTokenizer != null, Kind);
        return preTokenizer!;
    }

    private void ReadVocabulary(JsonElement vocab)
    {
        Require(vocab.ValueKind == JsonValueKind.Object, "its model has no vocab");
        foreach (var entry in vocab.EnumerateObject())
        {
            Require(_idOfName.Count < BpeTrainer.VocabularySizeMax, $"its vocab has more than {BpeTrainer.VocabularySizeMax} tokens");
            Require(entry.Name.Length is > 0 and <= TokenCharactersMax, $"a token of its vocab is empty or longer than {TokenCharactersMax} characters");
            Require(TryId(entry.Value, out var id), $"the id of token '{entry.Name}' is no number in range");
            Require(_idOfName.TryAdd(entry.Name, id), $"token '{entry.Name}' is listed twice");
        }
    }

    private void ReadAddedTokens(JsonElement added)
    {
        Require(added.ValueKind == JsonValueKind.Array, "it has no added_tokens");
        foreach (var entry in added.EnumerateArray())
        {
            var content = TextOf(entry, "content");
            Require(content is { Length: > 0 and <= TokenCharactersMax }, "an added token has no content");
            Require(TryId(Property(entry, "id"), out var id), $"the id of added token '{content}' is no number in range");
            Require(_special.TryAdd(id, content!), $"the id of added token '{content}' is given twice");
            Require(_idOfName.TryAdd(content!, id) || _idOfName[content!] == id, $"added token '{content}' has another id in the vocab");
        }
    }

    private (byte[][] Tokens, int[] SpecialIds, int[] IdOfByte) BuildTokens()
    {
        var tokens = new byte[_idOfName.Count][];
        var idOfByte = new int[256];
        Array.Fill(idOfByte, -1);
        foreach (var (name, id) in _idOfName)
        {
            Require(id < tokens.Length && tokens[id] == null, $"the ids of its tokens are not 0 to {tokens.Length - 1}, each once");
            var bytes = _special.ContainsKey(id) ? Encoding.UTF8.GetBytes(name) : ByteAlphabet.ToBytes(name);
            Require(bytes != null, $"token '{name}' is not written in the byte alphabet");
            tokens[id] = bytes!;
            if (bytes!.Length == 1 && !_special.ContainsKey(id))
            {
                idOfByte[bytes[0]] = id;
            }
        }

        Require(Array.IndexOf(idOfByte, -1) is var missing && missing < 0, $"byte {missing} has no token, so text could be lost");
        return (tokens, [.. _special.Keys.Order()], idOfByte);
    }

    private Merge[] ReadMerges(JsonElement list)
    {
        Require(list.ValueKind == JsonValueKind.Array, "its model has no merges");
        Require(list.GetArrayLength() <= 2 * BpeTrainer.VocabularySizeMax, $"it has more than {2 * BpeTrainer.VocabularySizeMax} merges");
        var merges = new Merge[list.GetArrayLength()];
        var seen = new HashSet<TokenPair>(merges.Length);
        var rank = 0;
        foreach (var entry in list.EnumerateArray())
        {
            var (left, right) = ReadPair(entry, rank);
            Require(
                TryOrdinary(left, out var leftId) & TryOrdinary(right, out var rightId) & TryOrdinary(left + right, out var result),
                $"merge {rank} ('{left} {right}') names a token that its vocab lacks");
            Require(seen.Add(new TokenPair(leftId, rightId)), $"merge {rank} ('{left} {right}') is listed twice");
            merges[rank++] = new Merge(leftId, rightId, result);
        }

        return merges;
    }

    // "left right" in files of older versions, ["left", "right"] in newer ones.
    private (string Left, string Right) ReadPair(JsonElement entry, int rank)
    {
        if (entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 2 &&
            entry[0].ValueKind == JsonValueKind.String && entry[1].ValueKind == JsonValueKind.String)
        {
            return (entry[0].GetString()!, entry[1].GetString()!);
        }

        var parts = entry.ValueKind == JsonValueKind.String ? entry.GetString()!.Split(' ') : [];
        Require(parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0, $"merge {rank} is not a pair of tokens");
        return (parts[0], parts[1]);
    }

    private bool TryOrdinary(string name, out int id) => _idOfName.TryGetValue(name, out id) && !_special.ContainsKey(id);

    private static bool TryId(JsonElement element, out int id)
    {
        id = -1;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out id) && id is >= 0 and < BpeTrainer.VocabularySizeMax;
    }

    private static JsonElement Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    private static string? TextOf(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static bool IsEmpty(JsonElement element, string name) =>
        Property(element, name).ValueKind is JsonValueKind.Null or JsonValueKind.Undefined || TextOf(element, name) == "";

    private void Require(bool condition, string fault)
    {
        if (!condition)
        {
            throw new InputException($"{_path} cannot be used: {fault}; give a byte-level BPE tokenizer.json, or train one with 'cairn tokenizer train'.");
        }
    }
}
