using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>Copies lines of a matrix into panels: panel p holds lines p·width …, k after k, so that a micro-kernel reads it from front to back.</summary>
/// <remarks>Only moves numbers: nothing here can change a bit of a result. Missing lines of the last panel are zeros.</remarks>
internal static unsafe class PanelPacking
{
    // Column-contiguous sources are read this many k at a time over all panels: whole cache lines of the source, few pages open at once.
    private const int StepsAtOnce = 8;

    /// <summary>Fills ⌈lines / width⌉ panels of width·k floats each.</summary>
    /// <param name="source">Element (0, 0) is the first.</param>
    /// <param name="lines">At least 1.</param>
    /// <param name="k">At least 1.</param>
    /// <param name="width">Lines of a panel.</param>
    /// <param name="panels">Receives the panels.</param>
    internal static void Pack(MatrixView source, int lines, int k, int width, float* panels)
    {
        if (source.Line == 1)
        {
            PackSteps(source, lines, k, width, panels);
            return;
        }

        for (var line = 0; line < lines; line += width)
        {
            PackLines(source.From(line, 0), Math.Min(width, lines - line), k, width, panels + ((nint)line * k));
        }
    }

    /// <summary>Lines are neighbours: each k is a row to be cut into pieces of the panel's width.</summary>
    private static void PackSteps(MatrixView source, int lines, int k, int width, float* panels)
    {
        var whole = lines / width;
        var rest = lines - (whole * width);
        for (var first = 0; first < k; first += StepsAtOnce)
        {
            var steps = Math.Min(StepsAtOnce, k - first);
            var from = source.Pointer + (first * source.Step);
            var to = panels + ((nint)first * width);
            for (var panel = 0; panel < whole; panel++)
            {
                CopyRows(from, source.Step, to, width, steps);
                from += width;
                to += (nint)k * width;
            }

            for (var step = 0; step < steps && rest > 0; step++)
            {
                new Span<float>(from + (step * source.Step), rest).CopyTo(new Span<float>(to, rest));
                new Span<float>(to + rest, width - rest).Clear();
                to += width;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRows(float* from, nint fromStep, float* to, int width, int steps)
    {
        for (; steps > 0; steps--, from += fromStep, to += width)
        {
            var i = 0;
            for (; i + 16 <= width; i += 16)
            {
                Vector512.Load(from + i).Store(to + i);
            }

            for (; i + 4 <= width; i += 4)
            {
                Vector128.Load(from + i).Store(to + i);
            }

            for (; i < width; i++)
            {
                to[i] = from[i];
            }
        }
    }

    /// <summary>Lines are contiguous along k: a transpose, through registers where there are any.</summary>
    private static void PackLines(MatrixView source, int lines, int k, int width, float* panel)
    {
        var done = 0;
        if (Avx512F.IsSupported)
        {
            done = RegisterTranspose.Panel16(source.Pointer, source.Line, lines, k, width, panel);
        }
        else if (Avx.IsSupported)
        {
            done = RegisterTranspose.Panel8(source.Pointer, source.Line, lines, k, width, panel);
        }

        panel += (nint)done * width;
        for (var step = done; step < k; step++, panel += width)
        {
            for (var line = 0; line < width; line++)
            {
                panel[line] = line < lines ? source.Pointer[(line * source.Line) + step] : 0f;
            }
        }
    }
}
