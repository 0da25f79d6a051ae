using System.Collections.Concurrent;
using System.Text;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Byte pair encoding, over bytes or over characters with bytes as the last resort: text to ids and back. Immutable; safe to use from many threads at
/// once.</summary>
/// <remarks>Trained by <see cref="BpeTrainer"/>, or read from a tokenizer.json or a GGUF file. Sennrich, Haddow and Birch 2016; over bytes as in Radford et al.
/// 2019, §2.2.
/// Over bytes nothing is lost for any bytes. What is lost otherwise: with characters, U+2581 comes back as a space; where <see cref="TokenizerParts.Composes"/>,
/// text that was not in composed form comes back in it.</remarks>
public sealed class Tokenizer
{
    /// <summary>The text of the token that ends every document.</summary>
    public const string EndOfText = "<|endoftext|>";

    private static readonly string[] EndNames = [EndOfText, "<|end_of_text|>", "</s>", "<eos>"];
    private readonly ConcurrentBag<ITextEncoder> _encoders = [];
    private readonly AddedTokens _always;
    private readonly AddedTokens _onDemand;

    private Tokenizer(TokenizerParts parts)
    {
        (Parts, Vocabulary) = (parts, new Vocabulary(parts));
        (_always, _onDemand) = (new AddedTokens(Vocabulary, control: false), new AddedTokens(Vocabulary, control: true));
        EosId = parts.End ?? FindEnd(parts);
        Invariant.Check(EosId >= 0);
        Digest = ComputeDigest();
    }

    /// <summary>How many ids there are; every id is below it.</summary>
    public int VocabularySize => Vocabulary.Count;

    /// <summary>The id that ends every document; text never yields it by itself.</summary>
    public int EosId { get; }

    /// <summary>The id that the model wants before a text, or null.</summary>
    public int? BosId => Parts.Begin;

    /// <summary>Names what the tokenizer does: tokens, merges, special ids and pattern. The same for any file that says the same.</summary>
    public Digest Digest { get; }

    /// <summary>All that it is made of.</summary>
    public TokenizerParts Parts { get; }

    internal Vocabulary Vocabulary { get; }

    /// <summary>Builds a tokenizer from parts.</summary>
    /// <param name="parts">From anywhere; stays unchanged from now on.</param>
    /// <param name="source">Where they are from, for the refusal.</param>
    /// <exception cref="InputException">Some text could not be encoded or would not come back, or the parts contradict each other.</exception>
    public static Tokenizer Of(TokenizerParts parts, string source) => TokenizerCheck.FaultOf(parts) is { } fault
        ? throw new InputException($"{source} cannot be used: {fault}; give a BPE tokenizer.json, or train one with 'cairn tokenizer train'.")
        : new Tokenizer(parts);

    /// <summary>Reads a tokenizer.json.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InputException">It is missing, damaged, or of a kind that is not byte-level byte pair encoding.</exception>
    public static Tokenizer Load(string path) => TokenizerJson.Load(path);

    /// <summary>Writes a tokenizer.json. Reading it and writing it again gives the same bytes.</summary>
    /// <param name="stream">Where to; stays open.</param>
    public void Save(Stream stream) => TokenizerJson.Save(this, stream);

    /// <summary>Appends the ids of a text. Text that looks like a special token is ordinary text.</summary>
    /// <param name="text">Any bytes, valid UTF-8 or not.</param>
    /// <param name="ids">Where to.</param>
    /// <returns>How many ids were added.</returns>
    /// <remarks>Cost: about 20 ns per word already met, 1 µs per new one; long words n log n.</remarks>
    public int Encode(ReadOnlySpan<byte> text, List<int> ids)
    {
        var before = ids.Count;
        Encode(text, ids, _always);
        return ids.Count - before;
    }

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text; lone surrogates become U+FFFD.</param>
    /// <param name="allowSpecial">True to read the texts of special tokens as those tokens: only for text that we composed ourselves.</param>
    public int[] Encode(string text, bool allowSpecial = false)
    {
        var ids = new List<int>(text.Length / 3);
        Encode(Encoding.UTF8.GetBytes(text), ids, allowSpecial ? _onDemand : _always);
        return [.. ids];
    }

    /// <summary>The ids of a text that we composed around the words of others: the names of tokens that steer a model become those tokens, but for names that were
    /// broken.</summary>
    /// <param name="text">Any text, the words of others through <see cref="Break"/>.</param>
    /// <param name="barrier">What breaks names; it becomes no token.</param>
    public int[] EncodeComposed(string text, char barrier)
    {
        var ids = new List<int>(text.Length / 3);
        Encode(Encoding.UTF8.GetBytes(text), ids, _onDemand, Encoding.UTF8.GetBytes([barrier]));
        return [.. ids];
    }

    /// <summary>Breaks the names of tokens that steer a model, so that nobody's words are taken for the end of a turn.</summary>
    /// <param name="text">Somebody's words.</param>
    /// <param name="barrier">A character that stands in no name; put behind the first character of each.</param>
    public string Break(string text, char barrier)
    {
        var (bytes, broken, from) = (Encoding.UTF8.GetBytes(text), new StringBuilder(text.Length), 0);
        for (var at = 0; _onDemand.Find(bytes.AsSpan(at), out var place, out _, out var id);)
        {
            // A name may begin inside another.
            Rune.DecodeFromUtf8(bytes.AsSpan(at + place), out _, out var first);
            at += place + first;
            if (Parts.Kinds[id] != TokenKind.UserDefined)
            {
                broken.Append(Encoding.UTF8.GetString(bytes, from, at - from)).Append(barrier);
                from = at;
            }
        }

        return from == 0 ? text : broken.Append(Encoding.UTF8.GetString(bytes, from, bytes.Length - from)).ToString();
    }

    /// <summary>The bytes of ids.</summary>
    /// <param name="ids">Each 0 to <see cref="VocabularySize"/> − 1.</param>
    /// <param name="keepSpecial">True to write special tokens as their texts; otherwise they are left out.</param>
    public byte[] Decode(ReadOnlySpan<int> ids, bool keepSpecial = false)
    {
        var length = 0L;
        foreach (var id in ids)
        {
            length += BytesOf(id, keepSpecial).Length;
        }

        var bytes = new byte[length];
        var at = 0;
        foreach (var id in ids)
        {
            var token = BytesOf(id, keepSpecial);
            token.CopyTo(bytes.AsSpan(at));
            at += token.Length;
        }

        // The space that was put before the text.
        return Parts.Prefix != SpacePrefix.Never && bytes is [(byte)' ', ..] ? bytes[1..] : bytes;
    }

    /// <summary>The text of ids; bytes that are not valid UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Each 0 to <see cref="VocabularySize"/> − 1.</param>
    /// <param name="keepSpecial">True to write special tokens as their texts; otherwise they are left out.</param>
    public string DecodeText(ReadOnlySpan<int> ids, bool keepSpecial = false) => Encoding.UTF8.GetString(Decode(ids, keepSpecial));

    /// <summary>How many bytes of text an id stands for: 0 for special tokens.</summary>
    /// <param name="id">0 to <see cref="VocabularySize"/> − 1.</param>
    public int ByteLength(int id) => BytesOf(id, keepSpecial: false).Length;

    /// <summary>The id of a special token by its text, or −1.</summary>
    /// <param name="text">Such as <see cref="EndOfText"/>.</param>
    public int SpecialId(string text) => SpecialId(Parts, text);

    /// <summary>An id as token files name it: bytes in the byte alphabet, spaces as U+2581 among characters, added tokens as they are.</summary>
    /// <param name="id">0 to <see cref="VocabularySize"/> − 1.</param>
    public string NameOf(int id)
    {
        var (token, kind) = (Parts.Tokens[id], Parts.Kinds[id]);
        if (Parts.Family != TokenizerFamily.SentencePiece)
        {
            return kind == TokenKind.Normal ? ByteAlphabet.ToText(token) : Encoding.UTF8.GetString(token);
        }

        var marked = kind == TokenKind.Normal || (kind == TokenKind.UserDefined && token.All(value => value == ' '));
        return kind == TokenKind.Byte ? $"<0x{token[0]:X2}>"
            : marked ? Encoding.UTF8.GetString(token).Replace(' ', TokenizerText.SpaceMark)
            : Encoding.UTF8.GetString(token);
    }

    internal static int FindEnd(TokenizerParts parts)
    {
        foreach (var name in EndNames)
        {
            if (SpecialId(parts, name) is >= 0 and var id)
            {
                return id;
            }
        }

        return -1;
    }

    /// <summary>The bytes that an id stands for inside a text.</summary>
    /// <param name="id">0 to <see cref="VocabularySize"/> − 1.</param>
    /// <param name="keepSpecial">True to give the name of a special token; otherwise it stands for nothing.</param>
    public ReadOnlySpan<byte> BytesOf(int id, bool keepSpecial) =>
        !keepSpecial && Vocabulary.IsSpecial(id) ? default : Vocabulary.Token(id);

    private static int SpecialId(TokenizerParts parts, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var id = 0; id < parts.Tokens.Count; id++)
        {
            if (parts.Kinds[id] is TokenKind.Control && parts.Tokens[id].AsSpan().SequenceEqual(bytes))
            {
                return id;
            }
        }

        return -1;
    }

    // Added tokens first; what lies between them is text, but for the barrier.
    private void Encode(ReadOnlySpan<byte> text, List<int> ids, AddedTokens added, ReadOnlySpan<byte> barrier = default)
    {
        if (!_encoders.TryTake(out var encoder))
        {
            encoder = Parts.Family == TokenizerFamily.SentencePiece ? new PieceEncoder(Vocabulary) : new WordEncoder(Vocabulary, PreTokenizer.For(Parts.Family));
        }

        var first = true;
        while (added.Find(text, out var at, out var length, out var id))
        {
            EncodeSegment(encoder, Without(barrier, text[..at]), ids, first);
            ids.Add(id);
            text = text[(at + length)..];
            first = false;
        }

        EncodeSegment(encoder, Without(barrier, text), ids, first);
        _encoders.Add(encoder);
    }

    private static ReadOnlySpan<byte> Without(ReadOnlySpan<byte> barrier, ReadOnlySpan<byte> text)
    {
        if (barrier.IsEmpty || text.IndexOf(barrier) < 0)
        {
            return text;
        }

        var (kept, count) = (new byte[text.Length], 0);
        for (int at; !text.IsEmpty; text = text[Math.Min(text.Length, at + barrier.Length)..])
        {
            at = text.IndexOf(barrier) is >= 0 and var found ? found : text.Length;
            text[..at].CopyTo(kept.AsSpan(count));
            count += at;
        }

        return kept.AsSpan(0, count);
    }

    private void EncodeSegment(ITextEncoder encoder, ReadOnlySpan<byte> text, List<int> ids, bool first)
    {
        if (Parts.Composes)
        {
            text = Composition.Compose(text);
        }

        if (!text.IsEmpty && (Parts.Prefix == SpacePrefix.EverySegment || (first && Parts.Prefix == SpacePrefix.First)))
        {
            text = (byte[])[(byte)' ', .. text];
        }

        encoder.Encode(text, ids);
    }

    private Digest ComputeDigest()
    {
        var content = new WireWriter();
        content.Text(Parts.Family == TokenizerFamily.SentencePiece ? "characters" : PreTokenizer.For(Parts.Family).Pattern);
        content.Byte(Vocabulary.WholeWordsFirst ? (byte)1 : (byte)0);
        content.Int32(EosId);
        content.Int32(Vocabulary.Count);
        for (var id = 0; id < Vocabulary.Count; id++)
        {
            // 0 for text, 1 for what text never yields; kinds that our own vocabularies do not have keep their number.
            content.Byte(Vocabulary.Kind(id) switch { TokenKind.Normal => 0, TokenKind.Control => 1, var kind => (byte)kind });
            content.Bytes(Vocabulary.Token(id));
        }

        content.Int32(Vocabulary.Merges.Count);
        foreach (var merge in Vocabulary.Merges)
        {
            content.Int32(merge.Left);
            content.Int32(merge.Right);
            if (Parts.Family == TokenizerFamily.SentencePiece)
            {
                content.Int32(merge.Rank);
            }
        }

        if (Parts.Composes || Parts.Begin is not null || Parts.Family == TokenizerFamily.SentencePiece)
        {
            content.Byte(Parts.Composes ? (byte)1 : (byte)0);
            content.Byte((byte)Parts.Prefix);
            content.Int32(Parts.Begin ?? -1);
        }

        return Digest.Of("cairn/tokenizer", content.Written);
    }
}
