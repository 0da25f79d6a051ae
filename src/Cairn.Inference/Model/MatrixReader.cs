using Cairn.Compute;
using Cairn.Formats;
using Cairn.Model;

namespace Cairn.Inference;

/// <summary>From a file to what is multiplied with, one tensor in fp32 at a time.</summary>
internal static class MatrixReader
{
    /// <summary>Tensors with the same columns, one under the other.</summary>
    public static PackedMatrix Matrix(ModelFile file, MatrixPrecision precision, params ReadOnlySpan<ParameterTensor> tensors)
    {
        var rows = 0;
        foreach (var tensor in tensors)
        {
            rows += tensor.Rows;
        }

        var columns = tensors[0].Columns;
        var matrix = new PackedMatrix(rows, columns, precision);
        try
        {
            var at = 0;
            foreach (var tensor in tensors)
            {
                using var values = new FloatBuffer(checked(tensor.Rows * columns));
                file.Read(tensor, values.Span);
                for (var row = 0; row < tensor.Rows; row++)
                {
                    matrix.SetRow(at++, values.Slice(row * columns, columns));
                }
            }

            return matrix;
        }
        catch
        {
            matrix.Dispose();
            throw;
        }
    }

    /// <summary>A gain.</summary>
    public static float[] Vector(ModelFile file, ParameterTensor tensor)
    {
        var values = new float[tensor.Columns];
        file.Read(tensor, values);
        return values;
    }
}
