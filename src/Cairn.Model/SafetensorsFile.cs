using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Model;

/// <summary>Parameters as a safetensors file (fp32, little-endian), the exchange format of Hugging Face. Streams tensor by tensor: no
/// second copy of
/// the model exists.</summary>
public static class SafetensorsFile
{
    private const int PieceFloats = 1 << 18;

    /// <summary>Bytes that <see cref="Write"/> writes for a layout.</summary>
    /// <param name="layout">The layout.</param>
    public static long SizeBytes(ParameterLayout layout) => SafetensorsHeader.Write(layout.Tensors).Length + (layout.Length * sizeof(float));

    /// <summary>Writes header and tensors in the order of the layout: the same parameters give the same bytes.</summary>
    /// <param name="stream">Receives the file; stays open.</param>
    /// <param name="parameters">What is written.</param>
    public static void Write(Stream stream, Parameters parameters)
    {
        Invariant.Check(BitConverter.IsLittleEndian);
        stream.Write(SafetensorsHeader.Write(parameters.Layout.Tensors));
        var all = parameters.Span;
        for (var at = 0; at < all.Length; at += PieceFloats)
        {
            stream.Write(MemoryMarshal.AsBytes(all.Slice(at, Math.Min(PieceFloats, all.Length - at))));
        }
    }

    /// <summary>Reads the parameters of a known layout. Names, shapes, types, places and total size must all agree, and every number must
    /// be finite.</summary>
    /// <param name="stream">From anywhere, at the file's first byte. Where it can seek, its length is compared before memory is taken.</param>
    /// <param name="layout">The layout.</param>
    /// <returns>The caller disposes them.</returns>
    /// <exception cref="InputException">The file is damaged, hostile or of another model; the message says which and where.</exception>
    public static Parameters Read(Stream stream, ParameterLayout layout)
    {
        Invariant.Check(BitConverter.IsLittleEndian);
        var header = SafetensorsHeader.Read(stream);
        Compare(header, layout);
        if (stream.CanSeek && stream.Length - stream.Position != layout.Length * sizeof(float))
        {
            throw SafetensorsHeader.Refused(
                $"{stream.Length - stream.Position} bytes of data follow its header where {layout.Length * sizeof(float)} are announced");
        }

        var parameters = new Parameters(layout);
        try
        {
            ReadTensors(stream, header, parameters);
            return parameters;
        }
        catch
        {
            parameters.Dispose();
            throw;
        }
    }

    private static void ReadTensors(Stream stream, SafetensorsHeader header, Parameters parameters)
    {
        foreach (var entry in header.Entries)
        {
            Invariant.Check(parameters.Layout.TryFind(entry.Name, out var tensor));
            var values = parameters[tensor];
            for (var at = 0; at < values.Length; at += PieceFloats)
            {
                var piece = values.Slice(at, Math.Min(PieceFloats, values.Length - at));
                SafetensorsHeader.Fill(stream, MemoryMarshal.AsBytes(piece));
                CheckFinite(piece, entry.Name);
            }
        }

        if (stream.ReadByte() != -1)
        {
            throw SafetensorsHeader.Refused("bytes follow the last tensor");
        }
    }

    private static void Compare(SafetensorsHeader header, ParameterLayout layout)
    {
        foreach (var entry in header.Entries)
        {
            if (!layout.TryFind(entry.Name, out var tensor))
            {
                throw SafetensorsHeader.Refused($"tensor '{entry.Name}' does not belong to this model");
            }

            if (entry.Type != "F32")
            {
                throw SafetensorsHeader.Refused($"tensor '{entry.Name}' has type {entry.Type}, only F32 is read");
            }

            if (!entry.Dimensions.SequenceEqual(tensor.Dimensions.Select(dimension => (long)dimension)))
            {
                throw SafetensorsHeader.Refused(
                    $"tensor '{entry.Name}' has shape [{string.Join(", ", entry.Dimensions)}], "
                    + $"this model has [{string.Join(", ", tensor.Dimensions)}]");
            }

            if (entry.End - entry.Begin != tensor.Length * sizeof(float))
            {
                throw SafetensorsHeader.Refused(
                    $"tensor '{entry.Name}' claims {entry.End - entry.Begin} bytes, its shape takes {tensor.Length * sizeof(float)}");
            }
        }

        var present = header.Entries.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        if (layout.Tensors.FirstOrDefault(tensor => !present.Contains(tensor.Name)) is { } missing)
        {
            throw SafetensorsHeader.Refused($"tensor '{missing.Name}' is missing");
        }
    }

    private static void CheckFinite(ReadOnlySpan<float> values, string name)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
            {
                throw SafetensorsHeader.Refused($"tensor '{name}' holds a number that is not finite");
            }
        }
    }
}
