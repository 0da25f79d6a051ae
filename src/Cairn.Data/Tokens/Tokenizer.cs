using System.Collections.Concurrent;
using System.Text;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Byte-level byte pair encoding: text to ids and back, without loss for any bytes. Immutable; safe to use from many threads at once.</summary>
/// <remarks>Trained by <see cref="BpeTrainer"/> or read from a tokenizer.json. Sennrich, Haddow and Birch 2016; over bytes as in Radford et al. 2019, §2.2.</remarks>
public sealed class Tokenizer
{
    /// <summary>The text of the token that ends every document.</summary>
    public const string EndOfText = "<|endoftext|>";

    private static readonly string[] EndNames = [EndOfText, "<|end_of_text|>", "</s>", "<eos>"];
    private readonly PreTokenizer _preTokenizer;
    private readonly ConcurrentBag<WordEncoder> _encoders = [];

    internal Tokenizer(Vocabulary vocabulary, PreTokenizer preTokenizer)
    {
        (Vocabulary, _preTokenizer) = (vocabulary, preTokenizer);
        EosId = FindEnd(vocabulary);
        Invariant.Check(EosId >= 0);
        Digest = ComputeDigest();
    }

    /// <summary>How many ids there are; every id is below it.</summary>
    public int VocabularySize => Vocabulary.Count;

    /// <summary>The id that ends every document; text never yields it by itself.</summary>
    public int EosId { get; }

    /// <summary>Names what the tokenizer does: tokens, merges, special ids and pattern. The same for any file that says the same.</summary>
    public Digest Digest { get; }

    internal Vocabulary Vocabulary { get; }

    internal PreTokenizer PreTokenizer => _preTokenizer;

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
        var encoder = RentEncoder();
        encoder.Encode(text, ids);
        _encoders.Add(encoder);
        return ids.Count - before;
    }

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text; lone surrogates become U+FFFD.</param>
    /// <param name="allowSpecial">True to read the texts of special tokens as those tokens: only for text that we composed ourselves.</param>
    public int[] Encode(string text, bool allowSpecial = false)
    {
        var ids = new List<int>(text.Length / 3);
        var bytes = Encoding.UTF8.GetBytes(text).AsSpan();
        while (allowSpecial && FindSpecial(bytes, out var at, out var id))
        {
            Encode(bytes[..at], ids);
            ids.Add(id);
            bytes = bytes[(at + Vocabulary.Token(id).Length)..];
        }

        Encode(bytes, ids);
        return [.. ids];
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

        return bytes;
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
    public int SpecialId(string text) => SpecialId(Vocabulary, text);

    internal static int FindEnd(Vocabulary vocabulary)
    {
        foreach (var name in EndNames)
        {
            if (SpecialId(vocabulary, name) is >= 0 and var id)
            {
                return id;
            }
        }

        return -1;
    }

    internal ReadOnlySpan<byte> BytesOf(int id, bool keepSpecial) =>
        !keepSpecial && Vocabulary.IsSpecial(id) ? default : Vocabulary.Token(id);

    internal WordEncoder RentEncoder() => _encoders.TryTake(out var encoder) ? encoder : new WordEncoder(Vocabulary, _preTokenizer);

    internal void ReturnEncoder(WordEncoder encoder) => _encoders.Add(encoder);

    private static int SpecialId(Vocabulary vocabulary, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        foreach (var id in vocabulary.SpecialIds)
        {
            if (vocabulary.Token(id).SequenceEqual(bytes))
            {
                return id;
            }
        }

        return -1;
    }

    // The leftmost special text; of those that begin there the longest.
    private bool FindSpecial(ReadOnlySpan<byte> text, out int at, out int id)
    {
        (at, id) = (int.MaxValue, -1);
        foreach (var candidate in Vocabulary.SpecialIds)
        {
            var found = text.IndexOf(Vocabulary.Token(candidate));
            if (found >= 0 && (found < at || (found == at && Vocabulary.Token(candidate).Length > Vocabulary.Token(id).Length)))
            {
                (at, id) = (found, candidate);
            }
        }

        return id >= 0;
    }

    private Digest ComputeDigest()
    {
        var content = new WireWriter();
        content.Text(_preTokenizer.Pattern);
        content.Byte(Vocabulary.WholeWordsFirst ? (byte)1 : (byte)0);
        content.Int32(EosId);
        content.Int32(Vocabulary.Count);
        for (var id = 0; id < Vocabulary.Count; id++)
        {
            content.Byte(Vocabulary.IsSpecial(id) ? (byte)1 : (byte)0);
            content.Bytes(Vocabulary.Token(id));
        }

        content.Int32(Vocabulary.Merges.Length);
        foreach (var merge in Vocabulary.Merges)
        {
            content.Int32(merge.Left);
            content.Int32(merge.Right);
        }

        return Digest.Of("cairn/tokenizer", content.Written);
    }
}
