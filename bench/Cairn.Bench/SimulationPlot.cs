using System.Globalization;
using System.Text;

namespace Cairn.Bench;

/// <summary>The cost of a simulated swarm against its size, as an SVG: points that were measured, and a line that rises with the logarithm of the number of
/// peers, through the first of them.</summary>
internal static class SimulationPlot
{
    private const int Width = 720, Height = 420, Left = 80, Right = 690, Top = 60, Bottom = 360;

    /// <summary>Draws.</summary>
    /// <param name="points">Peers, and microseconds for each node and round; ascending.</param>
    /// <param name="validators">Validators of each swarm.</param>
    /// <param name="rounds">Rounds of each run.</param>
    public static string Draw(IReadOnlyList<(int Peers, double Microseconds)> points, int validators, int rounds)
    {
        var most = 1.2 * points.Max(point => Math.Max(point.Microseconds, Line(points, point.Peers)));
        var (first, last) = (Math.Log2(points[0].Peers), Math.Log2(points[^1].Peers));
        double X(int peers) => Left + ((Right - Left) * (Math.Log2(peers) - first) / Math.Max(1, last - first));
        double Y(double microseconds) => Bottom - ((Bottom - Top) * microseconds / most);
        var svg = new StringBuilder();
        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{Height}\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\">");
        Add($"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#ffffff\"/>");
        Add($"<text x=\"{Left}\" y=\"28\" font-size=\"15\">A simulated swarm on one core: microseconds for each node and round</text>");
        Add($"<text x=\"{Left}\" y=\"46\" fill=\"#555555\">{validators} validators, {rounds} rounds, no faults; dashed: in proportion to the logarithm of the number of peers</text>");
        for (var i = 0; i <= 4; i++)
        {
            var value = most * i / 4;
            Add($"<line x1=\"{Left}\" y1=\"{Y(value):0.0}\" x2=\"{Right}\" y2=\"{Y(value):0.0}\" stroke=\"#dddddd\"/>");
            Add($"<text x=\"{Left - 8}\" y=\"{Y(value) + 4:0.0}\" text-anchor=\"end\">{value:0}</text>");
        }

        Add($"<polyline fill=\"none\" stroke=\"#888888\" stroke-dasharray=\"5 4\" points=\"{Path(points, X, point => Y(Line(points, point.Peers)))}\"/>");
        Add($"<polyline fill=\"none\" stroke=\"#1f6fb4\" stroke-width=\"2\" points=\"{Path(points, X, point => Y(point.Microseconds))}\"/>");
        foreach (var (peers, microseconds) in points)
        {
            Add($"<circle cx=\"{X(peers):0.0}\" cy=\"{Y(microseconds):0.0}\" r=\"4\" fill=\"#1f6fb4\"/>");
            Add($"<text x=\"{X(peers):0.0}\" y=\"{Bottom + 20}\" text-anchor=\"middle\">{peers}</text>");
        }

        Add($"<text x=\"{(Left + Right) / 2}\" y=\"{Bottom + 42}\" text-anchor=\"middle\">peers</text>");
        return svg.Append("</svg>\n").ToString();
    }

    private static double Line(IReadOnlyList<(int Peers, double Microseconds)> points, int peers) =>
        points[0].Microseconds * Math.Log2(peers) / Math.Log2(points[0].Peers);

    private static string Path(
        IReadOnlyList<(int Peers, double Microseconds)> points, Func<int, double> x, Func<(int Peers, double Microseconds), double> y) =>
        string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{x(point.Peers):0.0},{y(point):0.0}")));
}
