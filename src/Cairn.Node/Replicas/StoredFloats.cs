using System.Runtime.InteropServices;
using Cairn.Base;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>Parameters that lie in a file, read a part at a time.</summary>
/// <param name="file">Becomes this object's.</param>
/// <param name="start">Where they begin in it.</param>
/// <param name="length">How many.</param>
internal sealed class StoredFloats(FileStream file, long start, int length) : IDisposable
{
    private const int PieceFloats = 1 << 18;

    /// <summary>Reads a part.</summary>
    /// <param name="from">Its first float.</param>
    /// <param name="floats">Receives it.</param>
    /// <exception cref="InputException">The file cannot be read.</exception>
    public void Read(long from, Span<float> floats)
    {
        Invariant.Check(from >= 0 && from + floats.Length <= length);
        try
        {
            file.Position = start + (from * sizeof(float));
            file.ReadExactly(MemoryMarshal.AsBytes(floats));
        }
        catch (IOException e)
        {
            throw new InputException($"cannot read {file.Name}: {e.Message}", e);
        }
    }

    /// <summary>Their <see cref="BaseDigest"/>.</summary>
    public Digest Digest()
    {
        var hasher = new BaseHasher();
        var piece = new float[Math.Min(PieceFloats, length)];
        for (var at = 0; at < length; at += piece.Length)
        {
            var part = piece.AsSpan(0, Math.Min(piece.Length, length - at));
            Read(at, part);
            hasher.Append(part);
        }

        return hasher.Finish();
    }

    public void Dispose() => file.Dispose();
}
