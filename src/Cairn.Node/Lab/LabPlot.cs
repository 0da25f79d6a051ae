using System.Text;

namespace Cairn.Node;

/// <summary>The grid as one picture: final loss against all bytes that a peer sent (on a logarithmic axis), and against H.</summary>
internal static class LabPlot
{
    private const int Width = 1080;
    private const int Height = 560;
    private const int LegendTop = 440;
    private const int LegendColumns = 3;

    // Okabe and Ito's colours, told apart by most eyes; yellow is too pale on white.
    private static readonly string[] Colours = ["#000000", "#e69f00", "#56b4e9", "#0072b2", "#999999", "#d55e00", "#009e73", "#cc79a7"];

    /// <summary>Draws the picture: SVG 1.1 that needs nothing else.</summary>
    public static string Draw(LabReport report)
    {
        var svg = new StringBuilder();
        svg.Append($"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{Height}" viewBox="0 0 {Width} {Height}" """);
        svg.Append("""font-family="sans-serif" font-size="12">""");
        svg.Append($"""<rect width="{Width}" height="{Height}" fill="#ffffff"/>""");
        var title = $"{report.Preset}: held-out loss at {report.Tokens:N0} tokens, {report.Peers} peers";
        svg.Append($"""<text x="70" y="28" font-size="15">{SvgPanel.Escape(title)}</text>""");
        var rows = report.Rows.Where(row => double.IsFinite(row.Loss)).ToList();
        if (rows.Count > 0)
        {
            var losses = SvgAxis.Linear(rows.Min(r => r.Loss - (r.LossError ?? 0)), rows.Max(r => r.Loss + (r.LossError ?? 0)));
            var bytes = SvgAxis.Logarithmic(rows.Min(r => r.BytesPerPeer), rows.Max(r => r.BytesPerPeer), Decimal);
            var panel = new SvgPanel(svg, 70, 50, 530, 330, bytes, losses);
            panel.Frame("bytes that a peer sends in all (log)", "held-out loss, nats/token");
            Lines(panel, report, rows, row => row.BytesPerPeer, labelled: true);
            var steps = rows.Select(r => r.H ?? 1).ToList();
            var byH = new SvgPanel(svg, 680, 50, 360, 330, SvgAxis.At(steps.Distinct().Order()), losses);
            byH.Frame("inner steps between two communications (H)", "");
            Lines(byH, report, rows, row => row.H ?? 1, labelled: false);
        }

        Legend(svg, report);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Lines(SvgPanel panel, LabReport report, IReadOnlyList<LabRow> rows, Func<LabRow, double> x, bool labelled)
    {
        for (var i = 0; i < report.Methods.Count; i++)
        {
            var own = rows.Where(row => row.Method == report.Methods[i].Name).ToList();
            panel.Series([.. own.Select(row => new SvgPoint(x(row), row.Loss, row.LossError ?? 0, labelled && row.H is { } h ? $"{h}" : ""))], Colour(i));
        }
    }

    private static void Legend(StringBuilder svg, LabReport report)
    {
        for (var i = 0; i < report.Methods.Count; i++)
        {
            var (line, column) = Math.DivRem(i, LegendColumns);
            var (x, y) = (70 + (column * 330), LegendTop + 20 + (line * 22));
            svg.Append($"""<circle cx="{x}" cy="{y - 4}" r="5" fill="{Colour(i)}"/><text x="{x + 12}" y="{y}">{SvgPanel.Escape(report.Methods[i].Name)}</text>""");
        }

        svg.Append($"""<text x="70" y="{Height - 24}" fill="#555555">Numbers at points: H. Bars: standard error over seeds, where there are several.</text>""");
    }

    // Marks stand at powers of ten, so their units do too.
    private static string Decimal(double bytes) => bytes switch
    {
        < 1e3 => $"{bytes:0.#} B",
        < 1e6 => $"{bytes / 1e3:0.#} kB",
        < 1e9 => $"{bytes / 1e6:0.#} MB",
        _ => $"{bytes / 1e9:0.#} GB",
    };

    private static string Colour(int method) => Colours[method % Colours.Length];
}
