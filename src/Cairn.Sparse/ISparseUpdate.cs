using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>An update as those see it who combine or compare updates: one tensor at a time, so that no more of it need be decoded at once.</summary>
public interface ISparseUpdate
{
    /// <summary>How the model is cut.</summary>
    ChunkGrid Grid { get; }

    /// <summary>The round it was trained in.</summary>
    Round Round { get; }

    /// <summary>Whose it is.</summary>
    Uid Uid { get; }

    /// <summary>One tensor's part: of use until the next one is asked for, and for one thread at a time.</summary>
    /// <param name="tensor">0 to Grid.TensorCount − 1.</param>
    SparseTensor this[int tensor] { get; }
}
