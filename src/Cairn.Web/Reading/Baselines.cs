using System.Text.Json;

namespace Cairn.Web;

/// <summary>Other ways of training the same model on the same samples, where somebody has tried them: read when their files are new.</summary>
internal sealed class Baselines(RunSources sources, string data)
{
    private const long BytesMax = 16 << 20;
    private const int CurvesMax = 16;
    private const int PointsMax = 4096;
    private (DateTime, DateTime) _seen;

    /// <summary>What there is now, the one that was named for the run first.</summary>
    public IReadOnlyList<BaselineView> Curves { get; private set; } = [];

    /// <summary>Looks whether the files are new.</summary>
    /// <returns>True if they were read again.</returns>
    public bool Look()
    {
        var found = (File.GetLastWriteTimeUtc(sources.Baseline), File.GetLastWriteTimeUtc(sources.Comparison));
        if (found == _seen)
        {
            return false;
        }

        _seen = found;
        Curves = [.. Read(sources.Baseline, One), .. Read(sources.Comparison, root => root.Items("curves", CurvesMax).Skip(1).Select(View))];
        return true;
    }

    // Losses on other text say nothing about this run.
    private IEnumerable<BaselineView> One(JsonElement root) => root.Text("data") == data ? [View(root)] : [];

    private static List<BaselineView> Read(string path, Func<JsonElement, IEnumerable<BaselineView>> find)
    {
        try
        {
            if (File.Exists(path) && new FileInfo(path).Length <= BytesMax)
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(path));
                return [.. find(document.RootElement)];
            }
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            // Not there, or not what a comparison wrote.
        }

        return [];
    }

    private static BaselineView View(JsonElement curve) => new(
        curve.Text("name") ?? "?", curve.Number("lossFinal"), curve.Number("bitsPerByteFinal"), curve.Text("sample"),
        [.. curve.Items("curve", PointsMax).Select(point => (Tokens: point.Long("tokens"), Loss: point.Number("loss")))
            .Where(point => point is { Tokens: not null, Loss: not null }).Select(point => new double[] { point.Tokens!.Value, point.Loss!.Value })]);
}
