using System.Text.Json;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>The page Stuck?: whom the run waits for, what each node of this machine waits for, and what went wrong lately.</summary>
internal static class WaitsPage
{
    private const int NodesMax = 512;
    private const int NotesShown = 50;
    private const long StatusBytesMax = 1 << 20;

    public static WaitsView Of(RunBook book, RunSources sources)
    {
        // A past run has no nodes at work.
        var nodes = book.Speed == 1 ? Nodes(sources.Nodes) : [];
        lock (book.Gate)
        {
            var (state, now) = (book.State, book.Now);
            return new WaitsView(
                state.CurrentRound.Number, state.Stage.ToString(), state.Paused, state.Stage == Stage.Finished,
                book.LastSign is { } sign ? Math.Max(0, (now - sign).TotalSeconds) : null, book.RulesNow.Round.StageSecondsMax,
                [.. state.Awaited().Select(uid => state.Members[uid.Value]).Select(member =>
                    new AwaitedView(member.Uid.Value, member.Name, member.Role.ToString(), For(state.Stage, member.Role)))],
                [.. nodes.Select(node => View(node, now))], [.. book.Notes.TakeLast(NotesShown).Reverse().Select(RunPage.View)]);
        }
    }

    private static string For(Stage stage, Role role) => (stage, role) switch
    {
        (Stage.Commit, _) => "to train and commit to its update",
        (Stage.Reveal, Role.Peer) => "to open its commit",
        (Stage.Reveal, _) => "to reveal its part of the randomness",
        (Stage.Judge, _) => "to post its verdicts",
        (Stage.Apply, _) => "to apply the manifest and post its base",
        (Stage.Settle, _) => "to post shares and checkpoint",
        _ => "",
    };

    private static List<JsonElement> Nodes(string folder)
    {
        var nodes = new List<JsonElement>();
        if (!Directory.Exists(folder))
        {
            return nodes;
        }

        foreach (var path in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).Take(NodesMax).Select(node => Path.Combine(node, "status.json")))
        {
            try
            {
                if (File.Exists(path) && new FileInfo(path).Length <= StatusBytesMax)
                {
                    using var document = JsonDocument.Parse(File.ReadAllBytes(path));
                    nodes.Add(document.RootElement.Clone());
                }
            }
            catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
            {
                // Being written just now, or no status.
            }
        }

        return nodes;
    }

    private static NodeView View(JsonElement status, DateTimeOffset now) => new(
        status.Text("name") ?? "?", status.Text("role"), status.Whole("applied") ?? 0, status.Text("waitsFor") ?? "?",
        [.. status.Items("whom", 32).Select(name => name.Text()).OfType<string>()],
        status.Instant("since") is { } since ? Math.Max(0, (now - since).TotalSeconds) : 0, status.Text("trouble"), status.Number("utilisation"),
        status.Flag("finished"), status.Flag("halted"));
}
