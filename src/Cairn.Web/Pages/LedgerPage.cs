using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Web;

/// <summary>The page Ledger: blocks, and what was said in them.</summary>
internal static class LedgerPage
{
    private const int BlocksShown = 50;
    private const int OperationsOfEach = 4;
    private const int HitsShown = 40;
    private const int CandidatesRead = 400;
    private const int QueryMax = 128;
    private const int SaidShown = 20;

    public static BlocksView All(RunReader reader, long before)
    {
        var book = reader.Book;
        long height;
        lock (book.Gate)
        {
            height = book.State.Height;
        }

        var newest = Math.Min(height, before - 1);
        var blocks = Enumerable.Range(0, BlocksShown).Select(back => reader.Ledger.BlockAt(newest - back)).OfType<Block>().ToList();
        lock (book.Gate)
        {
            return new BlocksView(
                height, book.State.Run.ToString(), book.State.Genesis.RulesDigest.ToString(), book.State.Tip.ToString(), book.CaughtUp && book.Failure is null,
                book.Failure, [.. blocks.Select(block => View(book, block, OperationsOfEach))]);
        }
    }

    public static BlockView? One(RunReader reader, long height)
    {
        var block = reader.Ledger.BlockAt(height);
        lock (reader.Book.Gate)
        {
            return block is null ? null : View(reader.Book, block, int.MaxValue);
        }
    }

    /// <summary>Members by name or number, blocks by height, and whatever has a digest that begins so.</summary>
    public static SearchView Search(RunReader reader, string query)
    {
        var book = reader.Book;
        query = query.Trim();
        query = query.Length > QueryMax ? query[..QueryMax] : query;
        var hits = new List<HitView>();
        var wanted = query.ToLowerInvariant();
        IReadOnlyList<int> candidates;
        List<Member> members = [];
        lock (book.Gate)
        {
            if (wanted.Length > 0)
            {
                members = [.. book.State.Members.Where(member => member.Name.Contains(wanted, StringComparison.Ordinal)).Take(HitsShown)];
                hits.AddRange(members.Select(member => new HitView("member", $"{member.Name} (uid {member.Uid.Value}, {member.Role})", $"peers/{member.Uid.Value}")));
            }

            if (long.TryParse(wanted, out var number) && number >= 1 && number <= book.State.Height)
            {
                hits.Add(new HitView("block", $"block {number}", $"ledger/{number}"));
            }

            if (int.TryParse(wanted, out var round) && round >= 1 && book.Round(round - 1) is not null)
            {
                hits.Add(new HitView("round", $"round {round}", $"rounds/{round}"));
            }

            candidates = book.Digests.Find(wanted, CandidatesRead);
        }

        hits.AddRange(SaidBy(reader, [.. members.Select(member => member.Key)]));
        hits.AddRange(candidates.Select(height => reader.Ledger.BlockAt(height)).OfType<Block>().SelectMany(block => Matches(book, block, wanted)).Take(HitsShown));
        return new SearchView(query, [.. hits.Take(2 * HitsShown)]);
    }

    // The newest operations of some members, in the newest blocks.
    private static IEnumerable<HitView> SaidBy(RunReader reader, HashSet<PublicKey> members)
    {
        var (book, hits) = (reader.Book, new List<HitView>());
        long height;
        lock (book.Gate)
        {
            height = book.State.Height;
        }

        for (var read = 0; members.Count > 0 && read < CandidatesRead && hits.Count < SaidShown && reader.Ledger.BlockAt(height - read) is { } block; read++)
        {
            lock (book.Gate)
            {
                hits.AddRange(block.Operations.Where(signed => members.Contains(signed.Author)).Select(signed => OperationWords.View(book, block.Height, signed))
                    .Select(view => new HitView(view.Kind, $"block {block.Height}: {view.Who} {view.What}", $"ledger/{block.Height}")));
            }
        }

        return hits.Take(SaidShown);
    }

    private static List<HitView> Matches(RunBook book, Block block, string digits)
    {
        var hits = new List<HitView>();
        var where = $"ledger/{block.Height}";
        if (block.Hash.ToString().StartsWith(digits, StringComparison.Ordinal))
        {
            hits.Add(new HitView("block", $"block {block.Height}", where));
        }

        lock (book.Gate)
        {
            foreach (var view in block.Operations.Select(signed => OperationWords.View(book, block.Height, signed)))
            {
                if (view.Digest?.StartsWith(digits, StringComparison.Ordinal) == true)
                {
                    hits.Add(new HitView(view.Kind, $"block {block.Height}: {view.Who} {view.What}", where));
                }
            }

            foreach (var row in RoundsAround(book, block))
            {
                if (row.Manifest?.ToString().StartsWith(digits, StringComparison.Ordinal) == true)
                {
                    hits.Add(new HitView("manifest", $"manifest of round {row.Number + 1}", $"rounds/{row.Number + 1}"));
                }
            }
        }

        return hits;
    }

    private static IEnumerable<RoundRow> RoundsAround(RunBook book, Block block) =>
        block.Operations.Select(signed => signed.Operation).OfType<Verdict>().Select(verdict => book.Round(verdict.Round.Number)).OfType<RoundRow>().Distinct();

    private static BlockView View(RunBook book, Block block, int most) => new(
        block.Height, block.Hash.ToString(), block.Previous.ToString(), block.Bytes.Length,
        [.. block.Operations.Take(most).Select(signed => OperationWords.View(book, block.Height, signed))]);
}
