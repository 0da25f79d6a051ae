using System.Runtime.InteropServices;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Training;

/// <summary>What AdamW remembers between steps: both moments and how many steps there were. It stays on its machine and outlives
/// rounds.</summary>
public sealed class OptimizerState : IDisposable
{
    private const int HeaderBytes = 24;
    private const int PieceBytes = 1 << 20;

    private static ReadOnlySpan<byte> Tag => "CAIRNOPT"u8;

    /// <summary>Takes zeroed moments.</summary>
    /// <param name="layout">Of the parameters it belongs to.</param>
    public OptimizerState(ParameterLayout layout)
    {
        Moment1 = Parameters.NewBuffer(layout);
        Moment2 = Parameters.NewBuffer(layout);
    }

    /// <summary>Running mean of gradients.</summary>
    public FloatBuffer Moment1 { get; }

    /// <summary>Running mean of squared gradients.</summary>
    public FloatBuffer Moment2 { get; }

    /// <summary>Steps taken; decides the bias corrections.</summary>
    public long Steps { get; internal set; }

    /// <summary>Sets the count that belongs to moments which were put back from elsewhere.</summary>
    /// <param name="steps">0 or more.</param>
    public void RestoreSteps(long steps)
    {
        Invariant.Check(steps >= 0);
        Steps = steps;
    }

    /// <summary>Takes over every bit of another state: a round that did not count goes back to its beginning.</summary>
    /// <param name="other">Of the same layout.</param>
    public void CopyFrom(OptimizerState other)
    {
        other.Moment1.Span.CopyTo(Moment1.Span);
        other.Moment2.Span.CopyTo(Moment2.Span);
        Steps = other.Steps;
    }

    /// <summary>The name of the state's bits.</summary>
    public Digest Digest()
    {
        using var hasher = new Hasher("cairn/optimizer");
        hasher.Append(Steps);
        hasher.Append(BaseDigest.Of(Moment1.Span));
        hasher.Append(BaseDigest.Of(Moment2.Span));
        return hasher.Finish();
    }

    /// <summary>Writes the state: tag, length, steps, both moments, digest.</summary>
    /// <param name="stream">Receives 24 + 8 · length + 32 bytes.</param>
    public void WriteTo(Stream stream)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        Tag.CopyTo(header);
        MemoryMarshal.Write(header[8..], (long)Moment1.Length);
        MemoryMarshal.Write(header[16..], Steps);
        stream.Write(header);
        WriteFloats(stream, Moment1.Span);
        WriteFloats(stream, Moment2.Span);
        Span<byte> digest = stackalloc byte[Base.Digest.Size];
        Digest().CopyTo(digest);
        stream.Write(digest);
    }

    /// <summary>Reads what <see cref="WriteTo"/> wrote, bit for bit.</summary>
    /// <param name="stream">At the first byte; nothing beyond the state is read.</param>
    /// <exception cref="InputException">The bytes are cut short, damaged or of another model. The state is then not to be used.</exception>
    public void ReadFrom(Stream stream)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        Fill(stream, header);
        if (!header.StartsWith(Tag) || MemoryMarshal.Read<long>(header[8..]) != Moment1.Length)
        {
            throw new InputException("the optimizer state is not one of this model; delete it to begin with fresh moments");
        }

        Steps = MemoryMarshal.Read<long>(header[16..]);
        Fill(stream, MemoryMarshal.AsBytes(Moment1.Span));
        Fill(stream, MemoryMarshal.AsBytes(Moment2.Span));
        Span<byte> digest = stackalloc byte[Base.Digest.Size];
        Fill(stream, digest);
        if (Steps < 0 || new Digest(digest) != Digest())
        {
            throw new InputException("the optimizer state is damaged: its digest does not match; delete it to begin with fresh moments");
        }
    }

    private static void WriteFloats(Stream stream, Span<float> floats)
    {
        Invariant.Check(BitConverter.IsLittleEndian);
        const int pieceFloats = PieceBytes / sizeof(float);
        for (var at = 0; at < floats.Length; at += pieceFloats)
        {
            stream.Write(MemoryMarshal.AsBytes(floats.Slice(at, Math.Min(pieceFloats, floats.Length - at))));
        }
    }

    private static void Fill(Stream stream, Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw new InputException("the optimizer state is cut short; delete it to begin with fresh moments");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Moment1.Dispose();
        Moment2.Dispose();
    }
}
