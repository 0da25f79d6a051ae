namespace Cairn.Compute;

/// <summary>A tile that reaches over the edge of C is computed aside; this copies the part that exists.</summary>
internal static unsafe class TileEdge
{
    /// <summary>C = tile, or C + tile, for the rows and columns that exist.</summary>
    internal static void Store(float* tile, nint tileRow, int rows, int columns, float* c, nint cRow, bool accumulate)
    {
        for (var row = 0; row < rows; row++, c += cRow, tile += tileRow)
        {
            for (var column = 0; column < columns; column++)
            {
                c[column] = accumulate ? c[column] + tile[column] : tile[column];
            }
        }
    }
}
