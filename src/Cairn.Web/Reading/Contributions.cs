using System.Text.Json;

namespace Cairn.Web;

/// <summary>What somebody has measured of peers' contributions (cairn run contribution), read when its file is new.</summary>
internal sealed class Contributions(RunSources sources, string rules)
{
    private const long BytesMax = 16 << 20;
    private const int PeersMax = 10_000;
    private const int RoundsMax = 1_000_000;
    private DateTime _seen;

    /// <summary>What there is now, or null.</summary>
    public ContributionsView? Found { get; private set; }

    /// <summary>Looks whether the file is new.</summary>
    /// <returns>True if it was read again.</returns>
    public bool Look()
    {
        if (sources.Contribution is not { } path || File.GetLastWriteTimeUtc(path) is var written && written == _seen)
        {
            return false;
        }

        (_seen, Found) = (written, Read(path));
        return true;
    }

    private ContributionsView? Read(string path)
    {
        try
        {
            if (File.Exists(path) && new FileInfo(path).Length <= BytesMax)
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(path));
                // Of another run that lay here it says nothing.
                return document.RootElement.Text("rulesDigest") == rules ? View(document.RootElement) : null;
            }
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            // Not there, or not what was written there.
        }

        return null;
    }

    private static ContributionsView View(JsonElement root) => new(
        root.Items("rounds", RoundsMax).Count(), root.Whole("sequences") ?? 0, Change(root, "improved"), root.Number("sumOfContributions"),
        [.. root.Items("peers", PeersMax).Where(peer => peer.Whole("uid") is not null).Select(peer => new ContributionView(
            peer.Whole("uid")!.Value, peer.Whole("rounds") ?? 0, Change(peer, "contribution"), Change(peer, "leftOut"), peer.Number("weight"),
            peer.Number("overlapMax"), peer.Whole("copies") ?? 0))]);

    private static LossChangeView? Change(JsonElement of, string name) =>
        of.Child(name) is { } change && change.Number("nats") is { } nats ? new LossChangeView(nats, change.Number("standardError")) : null;
}
