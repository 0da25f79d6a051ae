using Cairn.Compute;
using Cairn.Formats;
using Cairn.Model;

namespace Cairn.Inference;

/// <summary>All parameters of a model.</summary>
internal sealed class ModelMatrices : IDisposable
{
    private readonly List<LayerMatrices> _layers = [];

    public ModelMatrices(ModelFile file, MatrixPrecision precision)
    {
        Shape = file.Shape;
        try
        {
            Embedding = MatrixReader.Matrix(file, precision, file.Layout.Embedding);
            for (var layer = 0; layer < Shape.Layers; layer++)
            {
                _layers.Add(new LayerMatrices(file, file.Layout[layer], precision));
            }

            FinalNorm = MatrixReader.Vector(file, file.Layout.FinalNorm);
            Head = Shape.TiedHead ? Embedding : MatrixReader.Matrix(file, precision, file.Layout.Head);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ModelShape Shape { get; }

    public PackedMatrix Embedding { get; } = null!;

    public float[] FinalNorm { get; } = null!;

    public PackedMatrix Head { get; } = null!;

    public IReadOnlyList<LayerMatrices> Layers => _layers;

    public long Bytes => _layers.Sum(layer => layer.Bytes) + Embedding.Bytes + (Shape.TiedHead ? 0 : Head.Bytes) + (sizeof(float) * FinalNorm.LongLength);

    public void Dispose()
    {
        Embedding?.Dispose();
        Head?.Dispose();
        foreach (var layer in _layers)
        {
            layer.Dispose();
        }
    }
}
