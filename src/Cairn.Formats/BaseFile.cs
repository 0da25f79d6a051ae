using System.Runtime.InteropServices;
using Cairn.Base;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>The parameters that a run begins with where somebody brought them: the canonical bytes (docs/model.md) in one file of the run's folder.</summary>
public static class BaseFile
{
    /// <summary>The file's name.</summary>
    public const string FileName = "initial.bin";

    private const int PieceFloats = 1 << 18;

    /// <summary>Writes a model's parameters, tensor by tensor.</summary>
    /// <param name="model">Any.</param>
    /// <param name="path">Wholly written or not at all.</param>
    /// <returns>Their digest.</returns>
    /// <exception cref="InputException">A number is not finite, or the place cannot be written.</exception>
    public static Digest Write(ModelFile model, string path)
    {
        var hasher = new BaseHasher();
        DurableFile.Write(path, stream =>
        {
            foreach (var tensor in model.Layout.Tensors)
            {
                var values = new float[checked((int)tensor.Length)];
                model.Read(tensor, values);
                hasher.Append(values);
                for (var at = 0; at < values.Length; at += PieceFloats)
                {
                    stream.Write(MemoryMarshal.AsBytes(values.AsSpan(at, Math.Min(PieceFloats, values.Length - at))));
                }
            }
        });
        return hasher.Finish();
    }

    /// <summary>The digest of a file's parameters.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static Digest DigestOf(string path)
    {
        var hasher = new BaseHasher();
        Read(path, null, (_, piece) => hasher.Append(piece));
        return hasher.Finish();
    }

    /// <summary>Reads a file; that the numbers are those of the rules is the caller's to check.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">Overwritten.</param>
    /// <exception cref="InputException">It cannot be read, or has another length.</exception>
    public static void Read(string path, Parameters parameters) =>
        Read(path, parameters.Layout.Length, (at, piece) => piece.CopyTo(parameters.Buffer.Slice((int)at, piece.Length)));

    private delegate void Visit(long at, ReadOnlySpan<float> piece);

    private static void Read(string path, long? length, Visit visit)
    {
        using var file = FileBytes.Open(path);
        if (file.Length % sizeof(float) != 0 || (length is { } wanted && file.Length != wanted * sizeof(float)))
        {
            throw new InputException($"{path} has {file.Length} bytes, which are not the parameters of this run: join the run again, or restore it from a copy.");
        }

        for (long at = 0; at < file.Length; at += PieceFloats * sizeof(float))
        {
            visit(at / sizeof(float), MemoryMarshal.Cast<byte, float>(file.Part(at, (int)Math.Min(PieceFloats * sizeof(float), file.Length - at))));
        }
    }
}
