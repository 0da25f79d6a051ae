namespace Cairn.Ledger;

/// <summary>One entry of a sparse row.</summary>
/// <param name="Column">0 … columns − 1.</param>
/// <param name="Value">May be 0: an entry that says 0 is not the same as no entry (see <see cref="BondsEma"/>).</param>
internal readonly record struct Cell(int Column, Fixed32 Value);

/// <summary>Sparse matrices: a row for each validator, a column for each peer, entries in the order in which they were posted.</summary>
internal static class Rows
{
    /// <summary>The entries that a rule keeps.</summary>
    public static Cell[][] Where(Cell[][] rows, Func<int, int, bool> keeps)
    {
        var result = new Cell[rows.Length][];
        for (var i = 0; i < rows.Length; i++)
        {
            var row = i;
            result[i] = Array.FindAll(rows[i], cell => keeps(row, cell.Column));
        }

        return result;
    }

    /// <summary>Every entry by a function of its place.</summary>
    public static Cell[][] Map(Cell[][] rows, Func<int, Cell, Fixed32> map)
    {
        var result = new Cell[rows.Length][];
        for (var i = 0; i < rows.Length; i++)
        {
            var row = i;
            result[i] = Array.ConvertAll(rows[i], cell => cell with { Value = map(row, cell) });
        }

        return result;
    }

    /// <summary>Each row divided by its sum; a row of zeros stays.</summary>
    public static Cell[][] NormaliseRows(Cell[][] rows)
    {
        var sums = RowSums(rows);
        return Map(rows, (i, cell) => sums[i] > Fixed32.Zero ? cell.Value / sums[i] : cell.Value);
    }

    /// <summary>Each column divided by its sum; a column of zeros stays.</summary>
    public static Cell[][] NormaliseColumns(Cell[][] rows, int columns) => DivideColumns(rows, ColumnSums(rows, null, columns));

    /// <summary>Each column divided by its largest entry, so that this one becomes 1; a column of zeros stays.</summary>
    public static Cell[][] RaiseColumns(Cell[][] rows, int columns)
    {
        var largest = new Fixed32[columns];
        foreach (var cell in rows.SelectMany(row => row))
        {
            largest[cell.Column] = Fixed32.Larger(largest[cell.Column], cell.Value);
        }

        return DivideColumns(rows, largest);
    }

    /// <summary>Σᵢ factorᵢ · value of each column.</summary>
    /// <param name="factors">One for each row, or null for 1.</param>
    public static Fixed32[] ColumnSums(Cell[][] rows, Fixed32[]? factors, int columns)
    {
        var sums = new Fixed32[columns];
        for (var i = 0; i < rows.Length; i++)
        {
            foreach (var (column, value) in rows[i])
            {
                sums[column] += factors is null ? value : factors[i] * value;
            }
        }

        return sums;
    }

    /// <summary>Σⱼ factorⱼ · value of each row.</summary>
    /// <param name="factors">One for each column, or null for 1.</param>
    public static Fixed32[] RowSums(Cell[][] rows, Fixed32[]? factors = null)
    {
        var sums = new Fixed32[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            foreach (var (column, value) in rows[i])
            {
                sums[i] += factors is null ? value : factors[column] * value;
            }
        }

        return sums;
    }

    /// <summary>A vector divided by its sum; zeros stay.</summary>
    public static Fixed32[] Normalise(Fixed32[] values)
    {
        var sum = Sum(values);
        return sum == Fixed32.Zero ? values : Array.ConvertAll(values, value => value / sum);
    }

    /// <summary>The sum of a vector.</summary>
    public static Fixed32 Sum(Fixed32[] values) => values.Aggregate(Fixed32.Zero, static (sum, value) => sum + value);

    /// <summary>A row as a vector, 0 where it has no entry.</summary>
    public static Fixed32[] Dense(Cell[] row, int columns)
    {
        var result = new Fixed32[columns];
        foreach (var (column, value) in row)
        {
            result[column] = value;
        }

        return result;
    }

    /// <summary>The entries of a vector that are above 0, ascending.</summary>
    public static Cell[] Positive(Fixed32[] values)
    {
        var cells = new List<Cell>();
        for (var j = 0; j < values.Length; j++)
        {
            if (values[j] > Fixed32.Zero)
            {
                cells.Add(new Cell(j, values[j]));
            }
        }

        return [.. cells];
    }

    private static Cell[][] DivideColumns(Cell[][] rows, Fixed32[] divisors) =>
        Map(rows, (_, cell) => divisors[cell.Column] == Fixed32.Zero ? cell.Value : cell.Value / divisors[cell.Column]);
}
