using Cairn.Base;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>What base an outer step would lead to, without making it and without a second copy of the parameters.</summary>
internal sealed class OuterStepPreview(float rate)
{
    private const int PieceFloats = 1 << 16;
    private readonly BaseHasher _hasher = new();
    private readonly float[] _piece = new float[PieceFloats];

    /// <summary>Takes the next tensor.</summary>
    /// <param name="parameters">Before the step; they stay as they are.</param>
    /// <param name="mean">As long.</param>
    public void Add(ReadOnlySpan<float> parameters, ReadOnlySpan<float> mean)
    {
        Invariant.Check(parameters.Length == mean.Length);
        for (var at = 0; at < parameters.Length; at += PieceFloats)
        {
            var piece = _piece.AsSpan(0, Math.Min(PieceFloats, parameters.Length - at));
            parameters.Slice(at, piece.Length).CopyTo(piece);
            OuterStep.Apply(piece, mean.Slice(at, piece.Length), rate);
            _hasher.Append(piece);
        }
    }

    /// <summary>The base after the step, once every tensor was taken in.</summary>
    public Digest Finish() => _hasher.Finish();
}
