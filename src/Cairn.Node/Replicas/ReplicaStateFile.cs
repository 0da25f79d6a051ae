using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Node;

/// <summary>What a state file says about itself.</summary>
/// <param name="Rules">Digest of the run's rules.</param>
/// <param name="Next">The round that begins from this state.</param>
/// <param name="BaseDigest">The base in it; in a file of what a training begins from, the base that its commit names.</param>
/// <param name="OptimizerSteps">Steps the optimizer has taken.</param>
internal sealed record StateHeader(Digest Rules, Round Next, Digest BaseDigest, long OptimizerSteps);

/// <summary>A node's durable state between two rounds: base, moments, error feedback, and a validator's book, under one checksum.</summary>
/// <remarks>Written whole and renamed, into two slots in turn, at settlements also into a third that is flushed to the disk: the newest that is intact
/// counts. So damage or a power cut costs at most a replay of rounds that the ledger and the store still hold, since inner steps are bit-exact.</remarks>
internal static class ReplicaStateFile
{
    private const int BookBytesMax = 1 << 26;
    private const int PieceFloats = 1 << 20;
    private const int HeaderSize = 8 + 32 + 4 + 32 + 8 + 4;

    private static ReadOnlySpan<byte> Magic => "CAIRNST1"u8;

    public static void Write(string path, StateHeader header, IReadOnlyList<FloatBuffer> sections, byte[] book, bool flush) =>
        DurableFile.Write(
            path,
            stream =>
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                void Put(ReadOnlySpan<byte> bytes)
                {
                    hash.AppendData(bytes);
                    stream.Write(bytes);
                }

                Put(Encode(header, sections.Count));
                foreach (var section in sections)
                {
                    Put(BitConverter.GetBytes(section.Length));
                    for (var at = 0; at < section.Length; at += PieceFloats)
                    {
                        Put(MemoryMarshal.AsBytes(section.Slice(at, Math.Min(PieceFloats, section.Length - at))));
                    }
                }

                Put(BitConverter.GetBytes(book.Length));
                Put(book);
                stream.Write(hash.GetHashAndReset());
            },
            flush);

    /// <summary>The header alone, to see which slot is newer; not yet verified.</summary>
    public static StateHeader? Peek(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            Span<byte> bytes = stackalloc byte[HeaderSize];
            stream.ReadExactly(bytes);
            return Decode(bytes, out _);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The base alone, left in the file: whoever reads it compares it with the digest in the header.</summary>
    /// <param name="path">The file.</param>
    /// <param name="length">Floats of the base.</param>
    /// <returns>Null if the file is not there or of another shape; the caller disposes the floats.</returns>
    public static (StateHeader Header, StoredFloats Floats)? OpenBase(string path, int length)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            var head = new byte[HeaderSize + sizeof(int)];
            stream.ReadExactly(head);
            if (Decode(head.AsSpan(0, HeaderSize), out var sections) is { } header && sections > 0 && BitConverter.ToInt32(head, HeaderSize) == length
                && stream.Length >= head.Length + ((long)length * sizeof(float)))
            {
                return (header, new StoredFloats(stream, head.Length, length));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As good as none.
        }

        stream?.Dispose();
        return null;
    }

    /// <summary>Reads a state into buffers of exactly its sizes.</summary>
    /// <returns>Null if the file is torn, damaged, or of another shape; the buffers then hold nothing of use.</returns>
    public static (StateHeader Header, byte[] Book)? TryRead(string path, IReadOnlyList<FloatBuffer> sections)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            void Take(Span<byte> bytes)
            {
                stream.ReadExactly(bytes);
                hash.AppendData(bytes);
            }

            var head = new byte[HeaderSize];
            Take(head);
            if (Decode(head, out var count) is not { } header || count != sections.Count)
            {
                return null;
            }

            var length = new byte[4];
            foreach (var section in sections)
            {
                Take(length);
                if (BitConverter.ToInt32(length) != section.Length)
                {
                    return null;
                }

                for (var at = 0; at < section.Length; at += PieceFloats)
                {
                    Take(MemoryMarshal.AsBytes(section.Slice(at, Math.Min(PieceFloats, section.Length - at))));
                }
            }

            Take(length);
            if (BitConverter.ToInt32(length) is < 0 or > BookBytesMax)
            {
                return null;
            }

            var book = new byte[BitConverter.ToInt32(length)];
            Take(book);
            var expected = hash.GetHashAndReset();
            var stored = new byte[Digest.Size];
            stream.ReadExactly(stored);
            return stored.AsSpan().SequenceEqual(expected) && stream.Position == stream.Length ? (header, book) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static byte[] Encode(StateHeader header, int sections)
    {
        var w = new WireWriter();
        w.Raw(Magic);
        w.Digest(header.Rules);
        w.Int32(header.Next.Number);
        w.Digest(header.BaseDigest);
        w.Int64(header.OptimizerSteps);
        w.Int32(sections);
        Invariant.Check(w.Written.Length == HeaderSize);
        return w.ToArray();
    }

    private static StateHeader? Decode(ReadOnlySpan<byte> bytes, out int sections)
    {
        var r = new WireReader(bytes);
        var magic = r.Raw(Magic.Length);
        var header = new StateHeader(r.Digest(), new Round(r.Int32()), r.Digest(), r.Int64());
        sections = r.Int32();
        return r.Complete && magic.SequenceEqual(Magic) && header.Next.Number >= 0 ? header : null;
    }
}
