using Cairn.Compute;
using Cairn.Formats;
using Cairn.Model;

namespace Cairn.Inference;

/// <summary>One layer as it is multiplied with.</summary>
internal sealed class LayerMatrices : IDisposable
{
    public LayerMatrices(ModelFile file, LayerTensors tensors, MatrixPrecision precision)
    {
        AttentionNorm = MatrixReader.Vector(file, tensors.AttentionNorm);
        FeedForwardNorm = MatrixReader.Vector(file, tensors.FeedForwardNorm);
        Qkv = MatrixReader.Matrix(file, precision, tensors.Query, tensors.Key, tensors.Value);
        Output = MatrixReader.Matrix(file, precision, tensors.Output);
        GateUp = MatrixReader.Matrix(file, precision, tensors.Gate, tensors.Up);
        Down = MatrixReader.Matrix(file, precision, tensors.Down);
    }

    public float[] AttentionNorm { get; }

    public float[] FeedForwardNorm { get; }

    public PackedMatrix Qkv { get; }

    public PackedMatrix Output { get; }

    public PackedMatrix GateUp { get; }

    public PackedMatrix Down { get; }

    public long Bytes => Qkv.Bytes + Output.Bytes + GateUp.Bytes + Down.Bytes + (sizeof(float) * (AttentionNorm.LongLength + FeedForwardNorm.LongLength));

    public void Dispose()
    {
        Qkv.Dispose();
        Output.Dispose();
        GateUp.Dispose();
        Down.Dispose();
    }
}
