using Cairn.Base;

namespace Cairn.Formats;

/// <summary>A tensor as a file holds it.</summary>
/// <param name="Name">As the file names it.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Rows">Outputs of a matrix; 1 for a vector.</param>
/// <param name="Columns">Inputs of a matrix; the length of a vector.</param>
/// <param name="At">Its first byte in the file.</param>
/// <param name="File">The name of the file.</param>
public sealed record StoredTensor(string Name, NumberType Type, int Rows, int Columns, long At, string File)
{
    /// <summary>How many numbers.</summary>
    public long Length => (long)Rows * Columns;

    /// <summary>How many bytes.</summary>
    public long Bytes => NumberTypes.Bytes(Type, Length);

    /// <summary>Decodes it row by row, so that the numbers of a part of it are never needed twice.</summary>
    /// <param name="file">The file.</param>
    /// <param name="values">Receives all numbers.</param>
    /// <exception cref="InputException">A number is not finite.</exception>
    internal void Decode(FileBytes file, Span<float> values)
    {
        Invariant.Check(values.Length == Length);
        var rowBytes = (int)NumberTypes.Bytes(Type, Columns);
        for (var row = 0; row < Rows; row++)
        {
            var line = values.Slice(row * Columns, Columns);
            NumberCodec.Decode(Type, file.Part(At + ((long)row * rowBytes), rowBytes), line);
            foreach (var value in line)
            {
                if (!float.IsFinite(value))
                {
                    throw new InputException($"{file.Path} cannot be used: tensor '{Name}' holds a number that is not finite; fetch the file again or choose another.");
                }
            }
        }
    }
}
