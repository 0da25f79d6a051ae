using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>The page Round: what happened in a round, read again from the ledger and the log when somebody looks.</summary>
internal static class RoundsPage
{
    private const int RoundsShown = 100;
    private const int BlocksShown = 4096;
    private const int OperationsShown = 2000;
    private const int JudgementsShown = 16;
    private const int PeersShown = 4096;

    public static RoundsView All(RunBook book, int before)
    {
        lock (book.Gate)
        {
            var rows = book.Rounds.Where(row => row.Number < before && row.Number <= book.State.CurrentRound.Number).TakeLast(RoundsShown).Reverse();
            return new RoundsView(book.Rounds.Count > 0 ? book.Rounds[0].Number : 0, book.State.CurrentRound.Number, [.. rows.Select(row => View(book, row))]);
        }
    }

    public static RoundDetailView? One(RunReader reader, int number)
    {
        var book = reader.Book;
        (long First, long Last) heights;
        EventPlace[] judged;
        lock (book.Gate)
        {
            if (book.Round(number) is not { } row || number > book.State.CurrentRound.Number)
            {
                return null;
            }

            (heights, judged) = ((row.FirstHeight, row.LastHeight), [.. row.Judged.TakeLast(JudgementsShown)]);
        }

        // From the files, without holding anybody up.
        var blocks = new List<Block>();
        for (var height = Math.Max(1, heights.First); height <= heights.Last && blocks.Count < BlocksShown; height++)
        {
            if (reader.Ledger.BlockAt(height) is { } block)
            {
                blocks.Add(block);
            }
        }

        var evidence = judged.SelectMany(Evidence).ToList();
        lock (book.Gate)
        {
            return book.Round(number) is { } row ? Detail(book, row, blocks, evidence) : null;
        }
    }

    /// <summary>A line of a round. Under the gate.</summary>
    public static RoundView View(RunBook book, RoundRow row) => new(
        row.Number, row.Roster, row.Members, row.Samples, row.Bytes, row.Seconds, row.Loss, row.BitsPerByte,
        (row.QuorumBase ?? book.State.QuorumBase(new(row.Number)))?.ToString(), row.Manifest?.ToString(), row.Agreement, row.Timeouts,
        book.State.Rules.Settles(new(row.Number)), row.Began[0]);

    private static RoundDetailView Detail(RunBook book, RoundRow row, List<Block> blocks, List<EvidenceView> evidence)
    {
        var (state, round) = (book.State, new Round(row.Number));
        var operations = blocks.SelectMany(block => block.Operations.Select(signed => OperationWords.View(book, block.Height, signed)))
            .Where(view => view.Round is null || view.Round == row.Number).Take(OperationsShown + 1).ToList();
        var cut = operations.Count > OperationsShown;
        var entries = state.ManifestOf(round)?.Entries ?? [];
        var total = (double)Math.Max(1, entries.Sum(entry => entry.Weight));
        var quorum = row.QuorumBase ?? state.QuorumBase(round);
        var bases = state.Members.Select(member => (Member: member, Base: state.BaseOf(round, member.Uid))).Where(pair => pair.Base is not null);
        return new RoundDetailView(
            View(book, row), RunPage.Stages(book, row), row.FirstHeight, row.LastHeight, cut,
            [.. operations.Take(OperationsShown)],
            [.. entries.Select(entry => new ManifestView(
                entry.Uid.Value, state.Members[entry.Uid.Value].Name, entry.ObjectDigest.ToString(), entry.SizeBytes, entry.Weight, entry.Weight / total))],
            [.. bases.Take(PeersShown).Select(pair => new BaseView(
                pair.Member.Uid.Value, pair.Member.Name, pair.Member.Role.ToString(), pair.Base!.Value.ToString(), quorum is null || pair.Base == quorum))],
            evidence);
    }

    private static IEnumerable<EvidenceView> Evidence(EventPlace place)
    {
        var line = place.Log.Again(place, out var document);
        using var owned = document;
        return line is not { Kind: "judged" } judged ? [] : judged.Data.Items("verdicts", PeersShown).Select(verdict => new EvidenceView(
            judged.Data.Text("node") ?? "?", verdict.Whole("uid") ?? -1, verdict.Text("peer") ?? "?", verdict.Text("reason") ?? "None", verdict.Number("score"),
            verdict.Number("heldBack"), verdict.Number("clearness"), verdict.Number("work"), verdict.Number("rating"), verdict.Text("detail"))).ToList();
    }
}
