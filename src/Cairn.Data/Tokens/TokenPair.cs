namespace Cairn.Data;

/// <summary>Two neighbouring ids, ordered by the left, then by the right.</summary>
/// <param name="Left">The id before.</param>
/// <param name="Right">The id after.</param>
internal readonly record struct TokenPair(int Left, int Right) : IComparable<TokenPair>
{
    /// <inheritdoc/>
    public int CompareTo(TokenPair other) => Left != other.Left ? Left.CompareTo(other.Left) : Right.CompareTo(other.Right);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)(((((ulong)(uint)Left << 32) | (uint)Right) * 0x9E37_79B9_7F4A_7C15) >> 32);
}
