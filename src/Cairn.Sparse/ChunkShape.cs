using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>One of the at most four sizes that the chunks of a tensor have: whole, at the right edge, at the lower edge, in the corner.</summary>
/// <remarks>Of a chunk of L elements k = ⌈L · keep / 4096⌉ are sent, so that every part of every tensor is sent at the same density.</remarks>
public sealed class ChunkShape
{
    private readonly int[] _offsets;
    private readonly int _codeBytes1, _codeBytes2;
    private readonly PlaceCode _places;

    internal ChunkShape(int rows, int cols, int stride, int keep)
    {
        (Rows, Cols, Length) = (rows, cols, rows * cols);
        Keep = (int)(((long)Length * keep + TopK.ChunkMax - 1) / TopK.ChunkMax);
        Invariant.Check(Length is > 0 and <= TopK.ChunkMax && Keep <= Math.Min(TopK.KeepMax, Length));
        _places = new PlaceCode(Length, Keep);
        (_codeBytes1, _codeBytes2) = ((Keep + 7) / 8, (Keep + 3) / 4);
        _offsets = new int[Length];
        for (var i = 0; i < Length; i++)
        {
            _offsets[i] = (i / cols * stride) + (i % cols);
        }
    }

    /// <summary>Rows of the chunk.</summary>
    public int Rows { get; }

    /// <summary>Columns of the chunk.</summary>
    public int Cols { get; }

    /// <summary>Elements: 1 to 4096.</summary>
    public int Length { get; }

    /// <summary>Values sent: 1 to 64.</summary>
    public int Keep { get; }

    /// <summary>How the places are written.</summary>
    internal ref readonly PlaceCode Places => ref _places;

    /// <summary>Where each element lies, counted from the chunk's first element in the tensor: [Length].</summary>
    public ReadOnlySpan<int> Offsets => _offsets;

    /// <summary>Bytes of the codes of one chunk.</summary>
    /// <param name="bitsPerValue">1 or 2.</param>
    public int CodeBytes(int bitsPerValue) => bitsPerValue == 1 ? _codeBytes1 : _codeBytes2;

    /// <summary>Bytes of one chunk in the fast mode: low bits, map, codes.</summary>
    /// <param name="bitsPerValue">1 or 2.</param>
    public int RecordBytes(int bitsPerValue) => Places.Bytes + CodeBytes(bitsPerValue);
}
