namespace Cairn.Compute.Tests;

/// <summary>Keys and values of one sequence, taken out of packed projections.</summary>
internal static class KvCache
{
    public static (float[] Keys, float[] Values) Of(ReadOnlySpan<float> qkv, AttentionShape shape)
    {
        var width = shape.KvHeads * shape.HeadDim;
        var (keys, values) = (new float[shape.Length * width], new float[shape.Length * width]);
        for (var t = 0; t < shape.Length; t++)
        {
            qkv.Slice((t * shape.QkvWidth) + shape.OutWidth, width).CopyTo(keys.AsSpan(t * width));
            qkv.Slice((t * shape.QkvWidth) + shape.OutWidth + width, width).CopyTo(values.AsSpan(t * width));
        }

        return (keys, values);
    }
}
