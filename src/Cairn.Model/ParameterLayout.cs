using System.Diagnostics.CodeAnalysis;
using Cairn.Base;

namespace Cairn.Model;

/// <summary>Where every tensor stands in one flat buffer: in order, without gaps, queries, keys and values adjacent and gate and up adjacent,
/// so that each trio and pair is one matrix to the kernels and hashing, optimizer, update and checkpoint are one linear pass.</summary>
public sealed class ParameterLayout
{
    private readonly List<ParameterTensor> _tensors = [];
    private readonly Dictionary<string, ParameterTensor> _byName;
    private readonly LayerTensors[] _layers;

    /// <summary>Lays out the tensors of a shape.</summary>
    /// <param name="shape">A valid shape.</param>
    /// <exception cref="InputException">The shape has faults.</exception>
    public ParameterLayout(ModelShape shape)
    {
        shape.Validate();
        Shape = shape;
        Embedding = Matrix("model.embed_tokens.weight", shape.Vocabulary, shape.Dim);
        _layers = new LayerTensors[shape.Layers];
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            _layers[layer] = Layer(layer);
        }

        FinalNorm = Vector("model.norm.weight");
        Head = shape.TiedHead ? Embedding : Matrix("lm_head.weight", shape.Vocabulary, shape.Dim);
        _byName = _tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        Invariant.Check(Length == shape.ParameterCount);
    }

    /// <summary>The shape.</summary>
    public ModelShape Shape { get; }

    /// <summary>All tensors, in the order of the buffer.</summary>
    public IReadOnlyList<ParameterTensor> Tensors => _tensors;

    /// <summary>Floats in all.</summary>
    public long Length => _tensors[^1].End;

    /// <summary>[V, D].</summary>
    public ParameterTensor Embedding { get; }

    /// <summary>[D].</summary>
    public ParameterTensor FinalNorm { get; }

    /// <summary>[V, D]: the same as <see cref="Embedding"/> when tied.</summary>
    public ParameterTensor Head { get; }

    /// <summary>The tensors of one layer.</summary>
    /// <param name="layer">0 to Layers − 1.</param>
    public LayerTensors this[int layer] => _layers[layer];

    /// <summary>Finds a tensor by name.</summary>
    /// <param name="name">Any text.</param>
    /// <param name="tensor">The tensor, or null.</param>
    /// <returns>False if no tensor has that name.</returns>
    public bool TryFind(string name, [NotNullWhen(true)] out ParameterTensor? tensor) => _byName.TryGetValue(name, out tensor);

    private LayerTensors Layer(int layer)
    {
        var (dim, head, prefix) = (Shape.Dim, Shape.HeadDim, $"model.layers.{layer}.");
        return new LayerTensors(
            AttentionNorm: Vector(prefix + "input_layernorm.weight"),
            Query: Matrix(prefix + "self_attn.q_proj.weight", Shape.Heads * head, dim),
            Key: Matrix(prefix + "self_attn.k_proj.weight", Shape.KvHeads * head, dim),
            Value: Matrix(prefix + "self_attn.v_proj.weight", Shape.KvHeads * head, dim),
            Output: Matrix(prefix + "self_attn.o_proj.weight", dim, Shape.Heads * head),
            FeedForwardNorm: Vector(prefix + "post_attention_layernorm.weight"),
            Gate: Matrix(prefix + "mlp.gate_proj.weight", Shape.FeedForward, dim),
            Up: Matrix(prefix + "mlp.up_proj.weight", Shape.FeedForward, dim),
            Down: Matrix(prefix + "mlp.down_proj.weight", dim, Shape.FeedForward));
    }

    private ParameterTensor Vector(string name) => Add(new ParameterTensor(name, 1, Shape.Dim, false, End));

    private ParameterTensor Matrix(string name, int rows, int columns) => Add(new ParameterTensor(name, rows, columns, true, End));

    private long End => _tensors.Count == 0 ? 0 : _tensors[^1].End;

    private ParameterTensor Add(ParameterTensor tensor)
    {
        _tensors.Add(tensor);
        return tensor;
    }
}
