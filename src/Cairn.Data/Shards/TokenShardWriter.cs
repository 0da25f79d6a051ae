using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Encodes documents on all cores and streams their ids into a shard file, in the order of the documents.</summary>
internal sealed class TokenShardWriter
{
    private const int BlockBytes = 1 << 18;
    private const int BlocksAtOnce = 64;
    private readonly Tokenizer _tokenizer;
    private readonly IReadOnlyList<Document> _documents;
    private readonly byte[] _buffer = new byte[1 << 16];
    private long _tokens;

    private TokenShardWriter(Tokenizer tokenizer, IReadOnlyList<Document> documents)
    {
        (_tokenizer, _documents) = (tokenizer, documents);
    }

    /// <summary>Writes the file atomically.</summary>
    /// <param name="path">Where.</param>
    /// <param name="tokenizer">What encodes.</param>
    /// <param name="documents">At least one, all of the same kind.</param>
    /// <returns>The header that was written.</returns>
    public static ShardHeader Write(string path, Tokenizer tokenizer, IReadOnlyList<Document> documents)
    {
        Invariant.Check(documents.Count > 0);
        ShardHeader? header = null;

        // Not flushed to the disk: the digest tells a file that a power cut left unfinished.
        DurableFile.Write(path, stream => header = new TokenShardWriter(tokenizer, documents).WriteTo(stream), flush: false);
        return header!;
    }

    private ShardHeader WriteTo(Stream stream)
    {
        stream.Write(new byte[ShardHeader.Size]);
        using var hasher = new Hasher("cairn/shard");
        var blocks = DocumentBlocks.Cut(_documents, _documents[0].HeldOut, BlockBytes);
        for (var first = 0; first < blocks.Count; first += BlocksAtOnce)
        {
            var ids = new List<int>[Math.Min(BlocksAtOnce, blocks.Count - first)];
            Parallel.For(0, ids.Length, i => ids[i] = Encode(blocks[first + i]));
            foreach (var list in ids)
            {
                WriteIds(CollectionsMarshal.AsSpan(list), stream, hasher);
            }
        }

        var textBytes = _documents.Sum(static document => (long)document.Text.Length);
        var header = new ShardHeader(_tokenizer.VocabularySize, _tokenizer.EosId, _tokens, _documents.Count, textBytes, _tokenizer.Digest, Digest.Zero);
        header = header with { Content = header.Finish(hasher) };
        stream.Position = 0;
        stream.Write(header.ToBytes());
        return header;
    }

    private List<int> Encode(List<int> block)
    {
        var ids = new List<int>(BlockBytes / 3);
        foreach (var index in block)
        {
            _tokenizer.Encode(_documents[index].Text.Span, ids);
            ids.Add(_tokenizer.EosId);
        }

        return ids;
    }

    private void WriteIds(ReadOnlySpan<int> ids, Stream stream, Hasher hasher)
    {
        _tokens += ids.Length;
        var width = ShardHeader.BytesPerTokenOf(_tokenizer.VocabularySize);
        while (!ids.IsEmpty)
        {
            var count = Math.Min(ids.Length, _buffer.Length / width);
            for (var i = 0; i < count; i++)
            {
                if (width == 2)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(2 * i), (ushort)ids[i]);
                }
                else
                {
                    BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(4 * i), ids[i]);
                }
            }

            var bytes = _buffer.AsSpan(0, count * width);
            stream.Write(bytes);
            hasher.Append(bytes);
            ids = ids[count..];
        }
    }
}
