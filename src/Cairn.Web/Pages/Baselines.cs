using System.Text.Json;

namespace Cairn.Web;

/// <summary>Curves of other ways of training the same model on the same samples, where somebody has made the comparison.</summary>
internal static class Baselines
{
    private const long BytesMax = 16 << 20;
    private const int CurvesMax = 16;
    private const int PointsMax = 4096;

    /// <summary>Reads them; null if there are none. The first curve of the file is the run itself and left out.</summary>
    /// <param name="path">What a comparison wrote.</param>
    public static IReadOnlyList<BaselineView>? Read(string path)
    {
        try
        {
            if (!File.Exists(path) || new FileInfo(path).Length > BytesMax)
            {
                return null;
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return [.. document.RootElement.Items("curves", CurvesMax).Skip(1).Select(curve => new BaselineView(
                curve.Text("name") ?? "?", curve.Number("lossFinal"), curve.Number("bitsPerByteFinal"),
                [.. curve.Items("curve", PointsMax).Select(point => (Tokens: point.Long("tokens"), Loss: point.Number("loss")))
                    .Where(point => point is { Tokens: not null, Loss: not null }).Select(point => new double[] { point.Tokens!.Value, point.Loss!.Value })]))];
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
