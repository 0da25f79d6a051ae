namespace Cairn.Ledger;

/// <summary>How bonds follow opinions from epoch to epoch: exponential moving averages, one rate for all or one for each pair.</summary>
internal static class BondsEma
{
    /// <summary>rate · fresh + (1 − rate) · old, entries above 0 only, ascending.</summary>
    /// <param name="fresh">What is said now, a row for each validator.</param>
    /// <param name="old">The bonds so far, as many rows.</param>
    /// <param name="rate">Of the new.</param>
    /// <param name="columns">Of both.</param>
    public static Cell[][] Move(Cell[][] fresh, Cell[][] old, Fixed32 rate, int columns)
    {
        var kept = Fixed32.One - rate;
        var result = new Cell[fresh.Length][];
        for (var i = 0; i < fresh.Length; i++)
        {
            // Most rows of a subnet are of peers, who say nothing: they are not walked through.
            if (fresh[i].Length == 0 && old[i].Length == 0)
            {
                result[i] = [];
                continue;
            }

            var row = new Fixed32[columns];
            foreach (var (column, value) in fresh[i])
            {
                row[column] += rate * value;
            }

            foreach (var (column, value) in old[i])
            {
                row[column] += kept * value;
            }

            result[i] = Rows.Positive(row);
        }

        return result;
    }

    /// <summary>The same with a rate for each pair, held below 1.</summary>
    /// <param name="fresh">What is said now.</param>
    /// <param name="old">The bonds so far.</param>
    /// <param name="consensus">Of each column.</param>
    /// <param name="alpha">The rates.</param>
    /// <remarks>The published runtime goes through the entries that a validator posted, not through its bonds: an entry that says 0 lets a bond
    /// decay, one that is missing drops it to 0 at once.</remarks>
    public static Cell[][] MoveLiquid(Cell[][] fresh, Cell[][] old, Fixed32[] consensus, LiquidAlpha alpha)
    {
        var result = new Cell[fresh.Length][];
        for (var i = 0; i < fresh.Length; i++)
        {
            var (said, bonds) = (Ascending(fresh[i], consensus.Length), Ascending(old[i], consensus.Length));
            var stored = Rows.Dense(old[i], consensus.Length);
            var row = new List<Cell>();
            foreach (var (column, value) in fresh[i])
            {
                var rate = alpha.Rate(consensus[column], said[column], bonds[column]);
                var bought = Fixed32.Larger(rate * value, Fixed32.Zero);
                var moved = Fixed32.Smaller(((Fixed32.One - rate) * stored[column]) + bought, Fixed32.One);
                if (moved > Fixed32.Zero)
                {
                    row.Add(new Cell(column, moved));
                }
            }

            result[i] = [.. row];
        }

        return result;
    }

    // What one walk over the columns sees of a row. Rows are meant to ascend: an entry that stands behind a larger column is passed by when its
    // turn has come, and its rate is found as if it were 0. So does the published runtime.
    private static Fixed32[] Ascending(Cell[] row, int columns)
    {
        var result = new Fixed32[columns];
        var last = -1;
        foreach (var (column, value) in row)
        {
            if (column > last)
            {
                (result[column], last) = (value, column);
            }
        }

        return result;
    }
}
