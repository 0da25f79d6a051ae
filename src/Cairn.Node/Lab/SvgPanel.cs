using System.Globalization;
using System.Security;
using System.Text;

namespace Cairn.Node;

/// <summary>A point with its error and a word beside it.</summary>
internal readonly record struct SvgPoint(double X, double Y, double Error, string Label);

/// <summary>One axis: where a value stands between 0 and 1, and the marks.</summary>
/// <param name="Place">The place of a value.</param>
/// <param name="Marks">Marked values with their words.</param>
internal sealed record SvgAxis(Func<double, double> Place, IReadOnlyList<(double Value, string Text)> Marks)
{
    private const double Margin = 0.06;

    /// <summary>Even steps of 1, 2 or 5 times a power of ten over a range.</summary>
    public static SvgAxis Linear(double from, double to)
    {
        var span = Math.Max(to - from, 1e-6);
        var (low, high) = (from - (Margin * span), to + (Margin * span));
        var power = Math.Pow(10, Math.Floor(Math.Log10(span / 4)));
        var step = new[] { 1.0, 2, 5, 10 }.Select(factor => factor * power).First(size => span / size <= 8);
        var digits = Math.Max(0, (int)Math.Ceiling(-Math.Log10(step)));
        var marks = new List<(double, string)>();
        for (var n = Math.Ceiling(low / step); n * step <= high; n++)
        {
            marks.Add((n * step, (n * step).ToString($"F{digits}", CultureInfo.InvariantCulture)));
        }

        return new SvgAxis(value => (value - low) / (high - low), marks);
    }

    /// <summary>Powers of ten over a range; where the range holds fewer than two, also 2 and 5 times them.</summary>
    public static SvgAxis Logarithmic(double from, double to, Func<double, string> words)
    {
        var (bottom, top) = (Math.Log10(from), Math.Log10(to));
        var margin = Margin * Math.Max(top - bottom, 0.1);
        var (low, high) = (bottom - margin, top + margin);
        double[] factors = high - low < 2 ? [1, 2, 5] : [1];
        var marks = from exponent in Enumerable.Range((int)Math.Floor(low), (int)Math.Ceiling(high - low) + 2)
                    from factor in factors
                    let value = factor * Math.Pow(10, exponent)
                    where Math.Log10(value) >= low && Math.Log10(value) <= high
                    select (value, words(value));
        return new SvgAxis(value => (Math.Log10(value) - low) / (high - low), [.. marks]);
    }

    /// <summary>The given values at even distances, for numbers that are names rather than sizes.</summary>
    public static SvgAxis At(IEnumerable<int> values)
    {
        var all = values.ToList();
        return new SvgAxis(value => (all.IndexOf((int)value) + 0.5) / all.Count, [.. all.Select(value => ((double)value, $"{value}"))]);
    }
}

/// <summary>A rectangle with two axes, into which series are drawn.</summary>
internal sealed class SvgPanel(StringBuilder svg, double left, double top, double width, double height, SvgAxis x, SvgAxis y)
{
    /// <summary>Text as it may stand in XML.</summary>
    public static string Escape(string text) => SecurityElement.Escape(text);

    /// <summary>Grid, marks and names of the axes.</summary>
    public void Frame(string xName, string yName)
    {
        foreach (var (value, text) in x.Marks)
        {
            Line(X(value), top, X(value), top + height, "#e4e4e4");
            Text(X(value), top + height + 18, "middle", text);
        }

        foreach (var (value, text) in y.Marks)
        {
            Line(left, Y(value), left + width, Y(value), "#e4e4e4");
            Text(left - 8, Y(value) + 4, "end", text);
        }

        svg.Append($"""<rect x="{N(left)}" y="{N(top)}" width="{N(width)}" height="{N(height)}" fill="none" stroke="#888888"/>""");
        Text(left + (width / 2), top + height + 40, "middle", xName);
        if (yName.Length > 0)
        {
            svg.Append($"""<text transform="translate({N(left - 50)},{N(top + (height / 2))}) rotate(-90)" text-anchor="middle">{Escape(yName)}</text>""");
        }
    }

    /// <summary>Points with error bars and a line through them.</summary>
    public void Series(IReadOnlyList<SvgPoint> points, string colour)
    {
        if (points.Count > 1)
        {
            var path = string.Join(' ', points.Select(point => $"{N(X(point.X))},{N(Y(point.Y))}"));
            svg.Append($"""<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-opacity="0.6"/>""");
        }

        foreach (var point in points)
        {
            if (point.Error > 0)
            {
                Line(X(point.X), Y(point.Y - point.Error), X(point.X), Y(point.Y + point.Error), colour);
            }

            svg.Append($"""<circle cx="{N(X(point.X))}" cy="{N(Y(point.Y))}" r="4" fill="{colour}"/>""");
            if (point.Label.Length > 0)
            {
                Text(X(point.X) + 6, Y(point.Y) - 6, "start", point.Label, colour);
            }
        }
    }

    private double X(double value) => left + (width * x.Place(value));

    private double Y(double value) => top + (height * (1 - y.Place(value)));

    private void Line(double x1, double y1, double x2, double y2, string colour) =>
        svg.Append($"""<line x1="{N(x1)}" y1="{N(y1)}" x2="{N(x2)}" y2="{N(y2)}" stroke="{colour}"/>""");

    private void Text(double atX, double atY, string anchor, string text, string colour = "#222222") =>
        svg.Append($"""<text x="{N(atX)}" y="{N(atY)}" text-anchor="{anchor}" fill="{colour}">{Escape(text)}</text>""");

    private static string N(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
