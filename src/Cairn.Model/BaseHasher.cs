using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Model;

/// <summary><see cref="BaseDigest"/> of parameters that come in pieces of any length and need never be in memory together.</summary>
public sealed class BaseHasher
{
    private readonly float[] _piece = new float[BaseDigest.PieceBytes / sizeof(float)];
    private readonly List<Digest> _pieces = [];
    private int _filled;

    /// <summary>Takes the next parameters in, in the order of the layout.</summary>
    /// <param name="parameters">Any number.</param>
    public void Append(ReadOnlySpan<float> parameters)
    {
        while (parameters.Length > 0)
        {
            var count = Math.Min(parameters.Length, _piece.Length - _filled);
            parameters[..count].CopyTo(_piece.AsSpan(_filled));
            parameters = parameters[count..];
            _filled += count;
            if (_filled == _piece.Length)
            {
                ClosePiece();
            }
        }
    }

    /// <summary>The digest of all that was taken in; afterwards it begins anew.</summary>
    public Digest Finish()
    {
        if (_filled > 0)
        {
            ClosePiece();
        }

        var root = MerkleTree.Root(CollectionsMarshal.AsSpan(_pieces));
        _pieces.Clear();
        return root;
    }

    private void ClosePiece()
    {
        _pieces.Add(BaseDigest.OfPiece(MemoryMarshal.AsBytes(_piece.AsSpan(0, _filled))));
        _filled = 0;
    }
}
