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
    private readonly Dictionary<int, (string Name, bool Special)> _added = [];
    private TokenizerJsonPipeline? _pipeline;

    /// <summary>Begins.</summary>
    /// <param name="path">Named in every refusal.</param>
    public TokenizerJsonReader(string path)
    {
        _path = path;
    }

    private bool OfCharacters => _pipeline!.Family == TokenizerFamily.SentencePiece;

    /// <summary>Reads the document.</summary>
    /// <param name="root">The whole file.</param>
    /// <exception cref="InputException">It is damaged or of another kind.</exception>
    public Tokenizer Read(JsonElement root)
    {
        Require(root.ValueKind == JsonValueKind.Object, "it is no JSON object");
        _pipeline = TokenizerJsonPipeline.Read(root, out var fault);
        Require(fault is null, fault!);
        var model = root.Find("model");
        Require(model.ValueKind == JsonValueKind.Object && model.Text("type") is null or "BPE", "its model is not BPE");
        Require(model.Lacks("dropout"), "its merges are random (dropout)");
        Require(model.Lacks("continuing_subword_prefix") && model.Lacks("end_of_word_suffix"), "it marks word ends, so it is not byte-level");
        Require(OfCharacters || model.Lacks("byte_fallback"), "it falls back to bytes and is byte-level too");
        ReadVocabulary(model.Find("vocab"));
        ReadAddedTokens(root.Find("added_tokens"));
        var (tokens, kinds) = BuildTokens(model.Text("unk_token"));
        var merges = ReadMerges(model.Find("merges"));
        int? begin = _pipeline!.Begin is { } name && _idOfName.TryGetValue(name, out var id) ? id : null;
        return Tokenizer.Of(
            new TokenizerParts
            {
                Family = _pipeline.Family,
                Tokens = tokens,
                Kinds = kinds,
                Merges = merges,
                WholeWordsFirst = model.Find("ignore_merges").ValueKind == JsonValueKind.True,
                Composes = _pipeline.Composes,
                Prefix = _pipeline.Prefix,
                Begin = begin,
            },
            _path);
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
            var content = entry.Text("content");
            Require(content is { Length: > 0 and <= TokenCharactersMax }, "an added token has no content");
            Require(TryId(entry.Find("id"), out var id), $"the id of added token '{content}' is no number in range");
            Require(_added.TryAdd(id, (content!, !entry.Lacks("special"))), $"the id of added token '{content}' is given twice");
            Require(_idOfName.TryAdd(content!, id) || _idOfName[content!] == id, $"added token '{content}' has another id in the vocab");
            Require(entry.Lacks("single_word"), $"added token '{content}' is to stand alone (single_word), which is not done here");
            Require(entry.Lacks("lstrip") && entry.Lacks("rstrip"), $"added token '{content}' takes spaces beside it (lstrip, rstrip), which is not done here");
        }
    }

    private (byte[][] Tokens, TokenKind[] Kinds) BuildTokens(string? unknown)
    {
        var (tokens, kinds) = (new byte[_idOfName.Count][], new TokenKind[_idOfName.Count]);
        foreach (var (name, id) in _idOfName)
        {
            Require(id < tokens.Length && tokens[id] == null, $"the ids of its tokens are not 0 to {tokens.Length - 1}, each once");
            kinds[id] = KindOf(name, id, unknown);
            tokens[id] = BytesOf(name, kinds[id]);
        }

        return (tokens, kinds);
    }

    private TokenKind KindOf(string name, int id, string? unknown) =>
        OfCharacters && name == unknown ? TokenKind.Unknown
        : _added.TryGetValue(id, out var added) ? added.Special ? TokenKind.Control : TokenKind.UserDefined
        : OfCharacters && TokenizerText.ToByte(name) is not null ? TokenKind.Byte
        : TokenKind.Normal;

    private byte[] BytesOf(string name, TokenKind kind)
    {
        if (kind == TokenKind.Byte && TokenizerText.ToByte(name) is { } value)
        {
            return [value];
        }

        if (OfCharacters)
        {
            var all = kind == TokenKind.Normal || (kind == TokenKind.UserDefined && name.All(character => character == TokenizerText.SpaceMark));
            return Encoding.UTF8.GetBytes(all ? TokenizerText.WithSpaces(name) : name);
        }

        var bytes = kind == TokenKind.Normal ? ByteAlphabet.ToBytes(name) : Encoding.UTF8.GetBytes(name);
        Require(bytes != null, $"token '{name}' is not written in the byte alphabet");
        return bytes!;
    }

    private Merge[] ReadMerges(JsonElement list)
    {
        Require(list.ValueKind == JsonValueKind.Array, "its model has no merges");
        Require(list.GetArrayLength() <= 4 * BpeTrainer.VocabularySizeMax, $"it has more than {4 * BpeTrainer.VocabularySizeMax} merges");
        var merges = new Merge[list.GetArrayLength()];
        var rank = 0;
        foreach (var entry in list.EnumerateArray())
        {
            var (left, right) = ReadPair(entry, rank);
            Require(
                TryOrdinary(left, out var leftId) & TryOrdinary(right, out var rightId) & TryOrdinary(left + right, out var result),
                $"merge {rank} ('{left} {right}') names a token that its vocab lacks");
            merges[rank] = new Merge(leftId, rightId, result, rank);
            rank++;
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

    private bool TryOrdinary(string name, out int id) =>
        _idOfName.TryGetValue(name, out id) && (!_added.TryGetValue(id, out var added) || (OfCharacters && !added.Special));

    private static bool TryId(JsonElement element, out int id)
    {
        id = -1;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out id) && id is >= 0 and < BpeTrainer.VocabularySizeMax;
    }

    private void Require(bool condition, string fault)
    {
        if (!condition)
        {
            throw new InputException($"{_path} cannot be used: {fault}; give a BPE tokenizer.json, or train one with 'cairn tokenizer train'.");
        }
    }
}
