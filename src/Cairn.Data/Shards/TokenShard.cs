using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>A file of token ids, checked as a whole when it is opened and then read in place. Documents follow each other, each ended by the
/// end-of-text id, which is a target like any other.</summary>
/// <remarks>Sample i of length T covers tokens i·T … i·T+T: T inputs, and T targets one later. Every target is real; nothing is masked; what is left at
/// the end of the file is dropped. Safe to read from many threads; dispose only when no thread reads any more.</remarks>
public sealed unsafe class TokenShard : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly ShardHeader _header;
    private readonly byte* _ids;
    private bool _disposed;

    private TokenShard(MemoryMappedFile file, MemoryMappedViewAccessor view, ShardHeader header)
    {
        (_file, _view, _header) = (file, view, header);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _ids = start + view.PointerOffset + ShardHeader.Size;
    }

    /// <summary>How many ids, ends of documents included.</summary>
    public long Tokens => _header.Tokens;

    /// <summary>How many documents.</summary>
    public long Documents => _header.Documents;

    /// <summary>Bytes of the text that the ids stand for.</summary>
    public long TextBytes => _header.TextBytes;

    /// <summary>Every id is below it.</summary>
    public int VocabularySize => _header.VocabularySize;

    /// <summary>Names the tokenizer of the ids.</summary>
    public Digest Tokenizer => _header.Tokenizer;

    /// <summary>Names the content: the same ids of the same tokenizer, the same digest.</summary>
    public Digest Digest => _header.Content;

    /// <summary>Encodes documents into a new file, atomically and on all cores; the same documents give the same bytes.</summary>
    /// <param name="path">Where.</param>
    /// <param name="tokenizer">What encodes.</param>
    /// <param name="documents">At least one, all held out or all not.</param>
    /// <exception cref="InputException">The place cannot be written.</exception>
    public static void Write(string path, Tokenizer tokenizer, IReadOnlyList<Document> documents) => TokenShardWriter.Write(path, tokenizer, documents);

    /// <summary>Opens a file and checks every byte of it.</summary>
    /// <param name="path">The file, from anywhere.</param>
    /// <exception cref="InputException">It is missing, cut short, changed, or no token shard.</exception>
    /// <remarks>Cost: one pass at about 1 GB/s.</remarks>
    public static TokenShard Open(string path)
    {
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        TokenShard? shard = null;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
            var header = ReadHeader(path, stream);
            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            shard = new TokenShard(file, view, header);
            shard.Verify(path);
            return shard;
        }
        catch (Exception e)
        {
            shard?.Dispose();
            view?.Dispose();
            file?.Dispose();
            if (e is FileNotFoundException or DirectoryNotFoundException)
            {
                throw new InputException($"{path} does not exist: run 'cairn data prepare' first.", e);
            }

            if (e is IOException or UnauthorizedAccessException)
            {
                throw new InputException($"{path} cannot be read: {e.Message} Mend its rights or run 'cairn data prepare' again.", e);
            }

            throw;
        }
    }

    /// <summary>How many whole samples there are.</summary>
    /// <param name="length">Inputs of a sample, at least 1.</param>
    public long SampleCount(int length)
    {
        Invariant.Check(length > 0);
        return (Tokens - 1) / length;
    }

    /// <summary>Copies a sample.</summary>
    /// <param name="sample">0 to <see cref="SampleCount"/> − 1.</param>
    /// <param name="length">Its inputs, T.</param>
    /// <param name="inputs">Receives T ids.</param>
    /// <param name="targets">Receives T ids: of each input the id that follows it.</param>
    public void CopySample(long sample, int length, Span<int> inputs, Span<int> targets)
    {
        Invariant.Check(sample >= 0 && sample < SampleCount(length));
        Invariant.Check(inputs.Length == length && targets.Length == length);
        CopyTokens(sample * length, inputs);
        CopyTokens((sample * length) + 1, targets);
    }

    /// <summary>Copies ids.</summary>
    /// <param name="start">The first; with the length of <paramref name="ids"/> it must lie inside.</param>
    /// <param name="ids">Receives them.</param>
    public void CopyTokens(long start, Span<int> ids)
    {
        Invariant.Check(!_disposed);
        Invariant.Check(start >= 0 && start <= Tokens - ids.Length);
        if (_header.BytesPerToken == 2)
        {
            var source = new ReadOnlySpan<ushort>(_ids + (2 * start), ids.Length);
            for (var i = 0; i < source.Length; i++)
            {
                ids[i] = source[i];
            }

            return;
        }

        new ReadOnlySpan<int>(_ids + (4 * start), ids.Length).CopyTo(ids);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }

    private static ShardHeader ReadHeader(string path, FileStream stream)
    {
        var bytes = new byte[ShardHeader.Size];
        var header = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length ? ShardHeader.Read(bytes) : null;
        Require(header != null, path, "its header is not that of a token shard");
        var expected = ShardHeader.Size + (header!.Tokens * header.BytesPerToken);
        Require(stream.Length == expected, path, $"it has {stream.Length} bytes where its header says {expected}");
        return header;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Verify(string path)
    {
        using var hasher = new Hasher("cairn/shard");
        var ids = new int[1 << 14];
        var (documents, last) = (0L, -1);
        for (var start = 0L; start < Tokens; start += ids.Length)
        {
            var part = ids.AsSpan(0, (int)Math.Min(ids.Length, Tokens - start));
            hasher.Append(new ReadOnlySpan<byte>(_ids + (start * _header.BytesPerToken), part.Length * _header.BytesPerToken));
            CopyTokens(start, part);
            foreach (var id in part)
            {
                Require((uint)id < (uint)VocabularySize, path, "an id in it lies outside the vocabulary");
                documents += id == _header.EosId ? 1 : 0;
                last = id;
            }
        }

        Require(_header.Finish(hasher) == Digest, path, "its digest differs from its content");
        Require(documents == Documents && last == _header.EosId, path, "its documents are not ended as its header says");
    }

    private static void Require(bool condition, string path, string fault)
    {
        if (!condition)
        {
            throw new InputException($"{path} is damaged ({fault}): delete it and run 'cairn data prepare' again.");
        }
    }
}
