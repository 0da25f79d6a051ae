#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
// Writes the unrolled micro-kernels of src/Cairn.Compute (MatMul, Inference): run `dotnet run tools/GenerateMicroKernels.cs` in the root of the repository.
using System.Globalization;
using System.Text;

(int Bits, int[] Heights)[] sets = [(512, [12, 8, 4]), (256, [6, 4, 2]), (128, [8, 4, 2])];
foreach (var (bits, heights) in sets)
{
    File.WriteAllText($"src/Cairn.Compute/MatMul/MicroKernels{bits}.cs", Kernels.Write(bits, heights));
}

File.WriteAllText("src/Cairn.Compute/Inference/RowTiles.cs", RowTiles.Write());

internal static class Kernels
{
    private static readonly string[] s_halves = ["L", "H"];

    internal static string Write(int bits, int[] heights)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""
            // Written by tools/GenerateMicroKernels.cs: change the generator, not this file.
            using System.Runtime.CompilerServices;
            using System.Runtime.Intrinsics;
            using System.Runtime.Intrinsics.X86;

            namespace Cairn.Compute;

            /// <summary>Micro-kernels over Vector{{bits}}: a tile of C, two vectors wide, held in registers over the whole run of k.</summary>
            internal static unsafe class MicroKernels{{bits}}
            {

            """);
        for (var i = 0; i < heights.Length; i++)
        {
            text.Append(i == 0 ? "" : "\n");
            WriteOne(text, bits, heights[i]);
        }

        text.Append("}\n");
        return text.ToString().Replace("\r", "");
    }

    private static void WriteOne(StringBuilder text, int bits, int rows)
    {
        var v = $"Vector{bits}";
        var lanes = bits / 32;
        void Line(int depth, string line) => text.Append(' ', 4 * depth).Append(line).Append('\n');
        Line(1, "[MethodImpl(MethodImplOptions.AggressiveOptimization)]");
        Line(1, $"internal static void Rows{rows}(");
        Line(2, "nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)");
        Line(1, "{");
        Line(2, $"Prefetch(c, cRow, {rows});");
        for (var i = 0; i < rows; i++)
        {
            Line(2, $"var c{i}L = {v}<float>.Zero;");
            Line(2, $"var c{i}H = {v}<float>.Zero;");
        }

        // One pointer serves three rows through base, base + row and base + 2·row: twelve pointers would not fit in the registers.
        Line(2, "aRow *= sizeof(float);");
        Line(2, "aStep *= sizeof(float);");
        Line(2, "var a0 = (byte*)a;");
        for (var i = 3; i < rows; i += 3)
        {
            Line(2, $"var a{i} = a{i - 3} + (3 * aRow);");
        }

        Line(2, "for (; k > 0; k--)");
        Line(2, "{");
        Line(3, $"var bL = {v}.Load(b);");
        Line(3, $"var bH = {v}.Load(b + {lanes});");
        Line(3, "b += bStep;");
        for (var i = 0; i < rows; i++)
        {
            var pointer = $"a{i - (i % 3)}" + (i % 3) switch { 0 => "", 1 => " + aRow", _ => " + (2 * aRow)" };
            Line(3, $"{(i == 0 ? "var " : "")}x = {v}.Create(*(float*)({pointer}));");
            foreach (var half in s_halves)
            {
                Line(3, $"c{i}{half} = {v}.FusedMultiplyAdd(x, b{half}, c{i}{half});");
            }
        }

        for (var i = 0; i < rows; i += 3)
        {
            Line(3, $"a{i} += aStep;");
        }

        Line(2, "}");
        Line(0, "");
        Line(2, "if (accumulate)");
        Line(2, "{");
        for (var i = 0; i < rows; i++)
        {
            Line(3, $"Add(c{(i == 0 ? "" : $" + ({i} * cRow)")}, c{i}L, c{i}H);");
        }

        Line(3, "return;");
        Line(2, "}");
        Line(0, "");
        for (var i = 0; i < rows; i++)
        {
            Line(2, $"Store(c{(i == 0 ? "" : $" + ({i} * cRow)")}, c{i}L, c{i}H);");
        }

        Line(1, "}");
        if (rows != 2 && !(bits == 512 && rows == 4))
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $$"""

                // The tile comes from afar while the products run: without this the last stores wait (a tenth of the time).
                [MethodImpl(MethodImplOptions.AggressiveInlining)]
                private static void Prefetch(float* c, nint cRow, int rows)
                {
                    if (Sse.IsSupported)
                    {
                        for (var i = 0; i < rows; i++, c += cRow)
                        {
                            Sse.Prefetch0(c);
                            Sse.Prefetch0(c + {{(2 * lanes) - 1}});
                        }
                    }
                }

                [MethodImpl(MethodImplOptions.AggressiveInlining)]
                private static void Add(float* c, {{v}}<float> low, {{v}}<float> high) =>
                    Store(c, {{v}}.Load(c) + low, {{v}}.Load(c + {{lanes}}) + high);

                [MethodImpl(MethodImplOptions.AggressiveInlining)]
                private static void Store(float* c, {{v}}<float> low, {{v}}<float> high)
                {
                    low.Store(c);
                    high.Store(c + {{lanes}});
                }

            """);
    }
}

internal static class RowTiles
{
    private const int RowsMax = 6;
    private const int GroupRows = 4;

    internal static string Write()
    {
        var text = new StringBuilder();
        text.Append("""
            // Written by tools/GenerateMicroKernels.cs: change the generator, not this file.
            using System.Runtime.CompilerServices;
            using System.Runtime.Intrinsics;

            namespace Cairn.Compute;

            /// <summary>Products of a group of four matrix rows with 1 to 6 rows of activations, held in registers over a run of steps.</summary>
            /// <remarks>Every product of two rows is the sum over 16 lanes of k, each in the order of k, then of the lanes by one tree: its bits depend neither on how many
            /// rows are multiplied together nor on the width of the machine's vectors.</remarks>
            internal static unsafe class RowTiles<T>
                where T : struct, IMatrixLanes
            {
                /// <summary>The most rows of activations.</summary>
                internal const int RowsMax = 6;

                /// <summary>y[r, 0…3] (added to when <paramref name="add"/>) = w · x[r].</summary>
                /// <param name="rows">1 to <see cref="RowsMax"/>.</param>
                /// <param name="steps">Steps of 16; at least 1.</param>
                /// <param name="w">A group's numbers.</param>
                /// <param name="x">First row.</param>
                /// <param name="xRow">Floats between rows of x.</param>
                /// <param name="y">First of four.</param>
                /// <param name="yRow">Floats between rows of y.</param>
                /// <param name="add">Whether y is added to.</param>
                internal static void Run(int rows, nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)
                {
                    switch (rows)
                    {
                        case 1:
                            Rows1(steps, w, x, xRow, y, yRow, add);
                            break;
                        case 2:
                            Rows2(steps, w, x, xRow, y, yRow, add);
                            break;
                        case 3:
                            Rows3(steps, w, x, xRow, y, yRow, add);
                            break;
                        case 4:
                            Rows4(steps, w, x, xRow, y, yRow, add);
                            break;
                        case 5:
                            Rows5(steps, w, x, xRow, y, yRow, add);
                            break;
                        default:
                            Rows6(steps, w, x, xRow, y, yRow, add);
                            break;
                    }
                }


            """);
        for (var rows = RowsMax; rows > 0; rows--)
        {
            WriteOne(text, rows);
            text.Append(rows == 1 ? "}\n" : "\n");
        }

        return text.ToString().Replace("\r", "");
    }

    private static void WriteOne(StringBuilder text, int rows)
    {
        void Line(int depth, string line) => text.Append(' ', 4 * depth).Append(line).Append('\n');
        Line(1, "[MethodImpl(MethodImplOptions.AggressiveOptimization)]");
        Line(1, $"private static void Rows{rows}(nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)");
        Line(1, "{");
        if (rows > 3)
        {
            Line(2, "var x3 = x + (3 * xRow);");
        }

        for (var row = 0; row < rows; row++)
        {
            Line(2, $"Vector512<float> s{row}0 = default, s{row}1 = default, s{row}2 = default, s{row}3 = default;");
        }

        Line(2, "for (; steps > 0; steps--)");
        Line(2, "{");
        for (var one = 0; one < GroupRows; one++)
        {
            Line(3, $"var w{one} = T.Load(w{one switch { 0 => "", 1 => " + T.Bytes", _ => $" + ({one} * T.Bytes)" }});");
        }

        Line(3, $"w += {GroupRows} * T.Bytes;");
        for (var row = 0; row < rows; row++)
        {
            var pointer = (row < 3 ? "x" : "x3") + (row % 3) switch { 0 => "", 1 => " + xRow", _ => " + (2 * xRow)" };
            Line(3, $"{(row == 0 ? "var " : "")}v = Vector512.Load({pointer});");
            for (var one = 0; one < GroupRows; one++)
            {
                Line(3, $"s{row}{one} = Vector512.FusedMultiplyAdd(w{one}, v, s{row}{one});");
            }
        }

        Line(3, "x += Lanes.Count;");
        if (rows > 3)
        {
            Line(3, "x3 += Lanes.Count;");
        }

        Line(2, "}");
        Line(0, "");
        for (var row = 0; row < rows; row++)
        {
            Line(2, $"RowSums.Put(RowSums.OfFour(s{row}0, s{row}1, s{row}2, s{row}3), y{row switch { 0 => "", 1 => " + yRow", _ => $" + ({row} * yRow)" }}, add);");
        }

        Line(1, "}");
    }
}
