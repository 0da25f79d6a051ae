using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>How all tensors of a model are cut into chunks. Every size of an update follows from it and the format, before a byte is fetched.</summary>
public sealed class ChunkGrid
{
    /// <summary>Values kept of a chunk of 4096 in the published run.</summary>
    public const int PublishedKeep = 64;

    private readonly TensorGrid[] _tensors;

    /// <summary>Cuts the tensors.</summary>
    /// <param name="specs">At least one, in the order of the wire; offsets rise and do not overlap (gaps are allowed); names differ.</param>
    /// <param name="keep">Values sent of each 4096 elements; of a smaller chunk as many in proportion, rounded up, and of none more than 64.</param>
    public ChunkGrid(IReadOnlyList<TensorSpec> specs, int keep = PublishedKeep)
    {
        Invariant.Check(specs.Count > 0);
        Invariant.Check(keep is > 0 and <= TopK.ChunkMax);
        Keep = keep;
        _tensors = new TensorGrid[specs.Count];
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < specs.Count; i++)
        {
            Invariant.Check(names.Add(specs[i].Name));
            Invariant.Check(specs[i].Offset >= FlatLength);
            _tensors[i] = new TensorGrid(specs[i], keep);
            FlatLength = specs[i].Offset + specs[i].Length;
            ElementCount += specs[i].Length;
            LongestTensor = Math.Max(LongestTensor, specs[i].Length);
            ValueCount += _tensors[i].ValueCount;
        }

        Digest = ComputeDigest();
    }

    /// <summary>Values sent of each 4096 elements.</summary>
    public int Keep { get; }

    /// <summary>How many tensors.</summary>
    public int TensorCount => _tensors.Length;

    /// <summary>Elements of all tensors.</summary>
    public long ElementCount { get; }

    /// <summary>Elements of the longest tensor: the extra memory that a round needs.</summary>
    public int LongestTensor { get; }

    /// <summary>Length of the flat run, gaps included: the end of the last tensor.</summary>
    public long FlatLength { get; }

    /// <summary>Values sent in one update.</summary>
    public long ValueCount { get; }

    /// <summary>Names this grid: over the number kept, and each tensor's name, rows and columns in order. Offsets are no part of it.</summary>
    public Digest Digest { get; }

    /// <summary>One tensor's cut.</summary>
    /// <param name="tensor">0 to TensorCount − 1.</param>
    public TensorGrid this[int tensor] => _tensors[tensor];

    /// <summary>The part of a flat run that is one tensor.</summary>
    /// <param name="flat">The whole run: at least FlatLength.</param>
    /// <param name="tensor">0 to TensorCount − 1.</param>
    public Span<float> Slice(Span<float> flat, int tensor) => flat.Slice(checked((int)_tensors[tensor].Spec.Offset), _tensors[tensor].Spec.Length);

    /// <summary>The part of a flat run that is one tensor.</summary>
    /// <param name="flat">The whole run: at least FlatLength.</param>
    /// <param name="tensor">0 to TensorCount − 1.</param>
    public ReadOnlySpan<float> Slice(ReadOnlySpan<float> flat, int tensor) =>
        flat.Slice(checked((int)_tensors[tensor].Spec.Offset), _tensors[tensor].Spec.Length);

    private Digest ComputeDigest()
    {
        var writer = new WireWriter();
        writer.Int32(Keep);
        writer.Int32(_tensors.Length);
        foreach (var tensor in _tensors)
        {
            writer.Text(tensor.Spec.Name);
            writer.Int32(tensor.Spec.Rows);
            writer.Int32(tensor.Spec.Cols);
        }

        return Digest.Of("cairn/grid", writer.Written);
    }
}
