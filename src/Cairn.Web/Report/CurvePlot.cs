using System.Globalization;
using System.Net;
using System.Text;

namespace Cairn.Web;

/// <summary>Curves over tokens as a drawing that needs no program: the run in front, others behind it.</summary>
internal static class CurvePlot
{
    private const int Width = 860;
    private const int Height = 340;
    private const int Left = 64;
    private const int Bottom = 40;
    private const int Top = 12;
    private const int Right = 26;
    private const int Steps = 5;

    // No loss is larger; sums of such numbers stay finite.
    private const double LossMax = 1e100;
    private static readonly string[] Colors = ["var(--c0)", "var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)"];

    /// <summary>Draws.</summary>
    /// <param name="lines">Names, and points of tokens and loss; the first is the run. What is no loss (not finite, or beyond 1e100) is left out.</param>
    public static string Draw(IReadOnlyList<(string Name, IReadOnlyList<(double Tokens, double Loss)> Points)> lines)
    {
        lines = [.. lines.Select(line => (line.Name, (IReadOnlyList<(double, double)>)[.. line.Points.Where(IsDrawn)]))];
        var points = lines.SelectMany(line => line.Points).ToList();
        if (points.Count == 0)
        {
            return "";
        }

        var tokens = Math.Max(1, points.Max(point => point.Tokens));
        var (low, high) = (points.Min(point => point.Loss), points.Max(point => point.Loss));
        high = Math.Max(high, low + Math.Max(1e-6, Math.Abs(low) * 1e-9));
        double X(double at) => Left + (at / tokens * (Width - Left - Right));
        double Y(double loss) => Top + ((high - loss) / (high - low) * (Height - Top - Bottom));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"Held-out loss over tokens\">\n");
        foreach (var loss in Marks(low, high))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"g\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(loss):F1}\" y2=\"{Y(loss):F1}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{Y(loss) + 4:F1}\" text-anchor=\"end\">{loss:0.###}</text>\n");
        }

        foreach (var at in Marks(0, tokens))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(at):F1}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{Words.Short(at)}</text>\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{(Left + Width) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">tokens trained on</text>\n");
        svg.Append(
            CultureInfo.InvariantCulture, $"<text transform=\"translate(12 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">nats/token</text>\n");
        for (var i = lines.Count - 1; i >= 0; i--)
        {
            var path = string.Join(' ', lines[i].Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Tokens):F1},{Y(point.Loss):F1}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{Colors[i % Colors.Length]}\" ");
            svg.Append(CultureInfo.InvariantCulture, $"stroke-width=\"{(i == 0 ? 2.4 : 1.6)}\" points=\"{path}\"/>\n");
        }

        svg.Append("</svg>\n<ul class=\"key\">");
        for (var i = 0; i < lines.Count; i++)
        {
            var last = lines[i].Points.Count > 0 ? lines[i].Points[^1].Loss.ToString("F4", CultureInfo.InvariantCulture) : "";
            svg.Append(CultureInfo.InvariantCulture, $"<li><i class=\"k{i % Colors.Length}\"></i>")
                .Append(WebUtility.HtmlEncode($"{lines[i].Name}: {last} nats/token")).Append("</li>");
        }

        return svg.Append("</ul>\n").ToString();
    }

    private static bool IsDrawn((double Tokens, double Loss) point) => double.IsFinite(point.Tokens) && Math.Abs(point.Loss) <= LossMax;

    // Round numbers, about as many as asked for.
    private static IEnumerable<double> Marks(double low, double high)
    {
        var least = (high - low) / Steps;
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        var step = power * (least / power is <= 1 ? 1 : least / power <= 2 ? 2 : least / power <= 5 ? 5 : 10);
        for (var i = (long)Math.Ceiling(low / step); step > 0 && i * step <= high; i++)
        {
            yield return i * step;
        }
    }
}
