using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute;

/// <summary>A matrix that rows are multiplied with, laid out so that every product reads it once from its first byte to its last: four rows interleaved by
/// 16 numbers (32 with 8 bits), padded with zeros to whole groups and steps.</summary>
/// <remarks>Memory outside the garbage-collected heap. Not safe to change while it is read.</remarks>
public sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Rows that stand side by side.</summary>
    internal const int GroupRows = 4;

    private const nuint Alignment = 64;
    private byte* _memory;

    /// <summary>Takes the memory; every number is zero.</summary>
    /// <param name="rows">Outputs; at least 1.</param>
    /// <param name="columns">Inputs; at least 1.</param>
    /// <param name="precision">How numbers are held.</param>
    public PackedMatrix(int rows, int columns, MatrixPrecision precision)
    {
        Invariant.Check(rows > 0 && columns > 0);
        (Rows, Columns, Precision) = (rows, columns, precision);
        Steps = (columns + StepColumns - 1) / StepColumns;
        StepBytes = GroupRows * StepColumns * (precision switch { MatrixPrecision.F32 => 4, MatrixPrecision.Bf16 => 2, _ => 1 });
        // A scale for each block, the four rows' side by side, in front of the numbers.
        ScaleBytes = precision == MatrixPrecision.Int8 ? RoundUp(Steps, Int8Rows.ScaleBlocks) * GroupRows * sizeof(ushort) : 0;
        GroupBytes = ScaleBytes + ((nint)Steps * StepBytes);
        Groups = (rows + GroupRows - 1) / GroupRows;
        Bytes = Groups * (long)GroupBytes;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, Alignment);
        GC.AddMemoryPressure(Bytes);
        NativeMemory.Clear(_memory, (nuint)Bytes);
        if (precision == MatrixPrecision.Int8)
        {
            // A level of zero.
            for (var group = 0; group < Groups; group++)
            {
                new Span<byte>(Group(group) + ScaleBytes, Steps * StepBytes).Fill(Int8Rows.Offset);
            }
        }
    }

    /// <summary>Outputs (N).</summary>
    public int Rows { get; }

    /// <summary>Inputs (K).</summary>
    public int Columns { get; }

    /// <summary>How numbers are held.</summary>
    public MatrixPrecision Precision { get; }

    /// <summary>Memory taken.</summary>
    public long Bytes { get; }

    /// <summary>Numbers of a row in a step.</summary>
    internal int StepColumns => Precision == MatrixPrecision.Int8 ? Int8Rows.Block : Lanes.Count;

    /// <summary>Steps of a row.</summary>
    internal int Steps { get; }

    /// <summary>Bytes of a step of a group.</summary>
    internal int StepBytes { get; }

    /// <summary>Bytes of a group's scales, which stand before its numbers.</summary>
    internal int ScaleBytes { get; }

    /// <summary>Bytes of a group.</summary>
    internal nint GroupBytes { get; }

    /// <summary>Groups of rows.</summary>
    internal int Groups { get; }

    /// <summary>The first byte of a group.</summary>
    internal byte* Group(int group)
    {
        Invariant.Check(_memory != null && (uint)group < (uint)Groups);
        return _memory + (group * GroupBytes);
    }

    /// <summary>Sets a row, rounded to the matrix's precision.</summary>
    /// <param name="row">0 to <see cref="Rows"/> − 1.</param>
    /// <param name="values">As many as <see cref="Columns"/>; finite.</param>
    public void SetRow(int row, ReadOnlySpan<float> values)
    {
        Invariant.Check((uint)row < (uint)Rows && values.Length == Columns);
        if (Precision == MatrixPrecision.Int8)
        {
            Int8Rows.Write(this, row, values);
            return;
        }

        var group = Group(row / GroupRows) + (row % GroupRows * (StepBytes / GroupRows));
        for (var i = 0; i < values.Length; i++)
        {
            if (Precision == MatrixPrecision.F32)
            {
                ((float*)group)[Place(i)] = values[i];
            }
            else
            {
                ((ushort*)group)[Place(i)] = Bf16.Round(values[i]);
            }
        }
    }

    /// <summary>The numbers of a row as products see them.</summary>
    /// <param name="row">0 to <see cref="Rows"/> − 1.</param>
    /// <param name="values">As many as <see cref="Columns"/>; overwritten.</param>
    public void GetRow(int row, Span<float> values)
    {
        Invariant.Check((uint)row < (uint)Rows && values.Length == Columns);
        if (Precision == MatrixPrecision.Int8)
        {
            Int8Rows.Read(this, row, values);
            return;
        }

        var group = Group(row / GroupRows) + (row % GroupRows * (StepBytes / GroupRows));
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Precision == MatrixPrecision.F32 ? ((float*)group)[Place(i)] : Bf16.Widen(((ushort*)group)[Place(i)]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_memory != null)
        {
            Free();
            GC.RemoveMemoryPressure(Bytes);
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Frees the memory of a matrix nobody disposed.</summary>
    ~PackedMatrix() => Free();

    // Of a column, in numbers from the row's first: the other rows of the group stand between its steps.
    private static int Place(int column) => (column / Lanes.Count * Lanes.Count * GroupRows) + (column % Lanes.Count);

    private static int RoundUp(int count, int to) => (count + to - 1) / to * to;

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
