using Cairn.Base;

namespace Cairn.Data;

/// <summary>The first 128 bytes of a token shard, little-endian: magic, version, bytes per token, size of the vocabulary, id that ends a document, counts of tokens,
/// documents and bytes of text, digests of tokenizer and content, 16 zero bytes.</summary>
/// <param name="VocabularySize">Every id is below it.</param>
/// <param name="EosId">The id after every document.</param>
/// <param name="Tokens">At least 1.</param>
/// <param name="Documents">At least 1.</param>
/// <param name="TextBytes">Bytes of the text that the tokens stand for.</param>
/// <param name="Tokenizer">Whose ids they are.</param>
/// <param name="Content">SHA-256 (tag "cairn/shard") over the ids as stored, then the header up to this digest.</param>
internal sealed record ShardHeader(int VocabularySize, int EosId, long Tokens, long Documents, long TextBytes, Digest Tokenizer, Digest Content)
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 128;

    private const int DigestedBytes = 80;
    private const int Version = 1;

    /// <summary>2 where every id fits into 16 bits, else 4.</summary>
    public int BytesPerToken => BytesPerTokenOf(VocabularySize);

    /// <summary>The width of ids of a vocabulary.</summary>
    /// <param name="vocabularySize">Its size.</param>
    public static int BytesPerTokenOf(int vocabularySize) => vocabularySize <= 1 << 16 ? 2 : 4;

    /// <summary>The bytes.</summary>
    public byte[] ToBytes()
    {
        var writer = new WireWriter();
        writer.Raw("CAIRNTOK"u8);
        writer.Int32(Version);
        writer.Int32(BytesPerToken);
        writer.Int32(VocabularySize);
        writer.Int32(EosId);
        writer.Int64(Tokens);
        writer.Int64(Documents);
        writer.Int64(TextBytes);
        writer.Digest(Tokenizer);
        writer.Digest(Content);
        writer.Raw(new byte[16]);
        Invariant.Check(writer.Written.Length == Size);
        return writer.ToArray();
    }

    /// <summary>Completes the digest of the content.</summary>
    /// <param name="ids">A hasher to which exactly the ids were given.</param>
    public Digest Finish(Hasher ids)
    {
        ids.Append(ToBytes().AsSpan(0, DigestedBytes));
        return ids.Finish();
    }

    /// <summary>Reads and checks the header alone.</summary>
    /// <param name="bytes">From anywhere.</param>
    /// <returns>Null unless it is canonical and its numbers are possible.</returns>
    public static ShardHeader? Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var magic = reader.Raw(8);
        var (version, width) = (reader.Int32(), reader.Int32());
        var header = new ShardHeader(
            reader.Int32(), reader.Int32(), reader.Int64(), reader.Int64(), reader.Int64(), reader.Digest(), reader.Digest());
        var rest = reader.Raw(16);
        var valid = reader.Complete && magic.SequenceEqual("CAIRNTOK"u8) && version == Version && !rest.ContainsAnyExcept((byte)0) &&
            header.VocabularySize is >= 257 and <= BpeTrainer.VocabularySizeMax && header.EosId >= 0 && header.EosId < header.VocabularySize &&
            width == header.BytesPerToken && header.Tokens > 0 && header.Tokens < 1L << 48 && header.Documents > 0 && header.TextBytes >= 0;
        return valid ? header : null;
    }
}
