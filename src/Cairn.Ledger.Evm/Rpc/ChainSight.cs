using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>What became of looking at the chain through one node.</summary>
internal enum SightKind
{
    /// <summary>All there is to see.</summary>
    Seen,

    /// <summary>The chain moved meanwhile: look again.</summary>
    Moved,

    /// <summary>The node knows fewer blocks than were seen already.</summary>
    Behind,

    /// <summary>The node denies what was final.</summary>
    Denies,
}

/// <summary>The chain as one node shows it.</summary>
/// <param name="Kind">How it went; the rest is there only if it was seen.</param>
/// <param name="KeptUpTo">Height up to which what was seen before still stands.</param>
/// <param name="New">What comes after, in order.</param>
/// <param name="Places">The places of blocks with something new, and of the newest block.</param>
internal sealed record ChainSight(SightKind Kind, ulong KeptUpTo = 0, IReadOnlyList<ChainLog>? New = null, IReadOnlyList<ChainPlace>? Places = null);

/// <summary>Looks at the chain through one node, so that its answers belong together; believes none that does not fit the others or the contract's own record.</summary>
/// <param name="chain">The node.</param>
/// <param name="following">What is followed.</param>
internal sealed class ChainLook(ChainClient chain, ChainFollowing following)
{
    private const ulong PieceBlocks = 2000;
    private const int AnswerMax = 4096;

    /// <summary>Looks.</summary>
    /// <param name="final">What is never taken back.</param>
    /// <param name="places">Those seen above it, in order.</param>
    /// <param name="believeShorter">True to believe that the chain has fewer blocks than it had.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<ChainSight> LookAsync(ChainPlace final, IReadOnlyList<ChainPlace> places, bool believeShorter, CancellationToken cancellation)
    {
        var head = await chain.BlockAsync(null, cancellation) ?? throw ChainJson.Bad("no newest block");
        var known = places.Count > 0 ? places[^1] : final;
        if (head.Number < final.Number || (head.Number < known.Number && !believeShorter))
        {
            return new ChainSight(SightKind.Behind);
        }

        if (await FindKeptAsync(final, places, head, cancellation) is not { } kept)
        {
            return new ChainSight(SightKind.Denies);
        }

        var logs = new List<ChainLog>();
        for (var first = kept.Number + 1; first <= head.Number; first += PieceBlocks)
        {
            logs.AddRange(await chain.LogsAsync(following.Contract, following.Run, first, Math.Min(head.Number, first + PieceBlocks - 1), cancellation));
        }

        var seen = PlacesOf(kept, logs, head);
        if (head.Number > following.Confirmations && head.Number - following.Confirmations is var deep && deep > kept.Number && seen is not null)
        {
            await AddAsync(deep, kept, seen, cancellation);
        }

        var said = head.Number > kept.Number ? await RecordAsync(head.Number, cancellation) : kept.Record;

        // Asked in several questions: they belong together only if the newest block is still the same.
        if ((await chain.BlockAsync(head.Number, cancellation))?.Hash != head.Hash || seen is null)
        {
            return new ChainSight(SightKind.Moved);
        }

        return said == seen[^1].Record ? new ChainSight(SightKind.Seen, kept.Number, logs, seen) : await WhoIsWrongAsync(final, said, seen[^1].Record, cancellation);
    }

    // The newest block that is deep enough, also where nothing was said in it: all others are asked whether that is so.
    private async Task AddAsync(ulong deep, ChainPlace kept, List<ChainPlace> seen, CancellationToken cancellation)
    {
        var at = seen.FindIndex(place => place.Number >= deep);
        if (seen[at].Number > deep)
        {
            var block = await chain.BlockAsync(deep, cancellation) ?? throw ChainJson.Bad("no block below its newest");
            seen.Insert(at, new ChainPlace(deep, block.Hash, at > 0 ? seen[at - 1].Record : kept.Record));
        }
    }

    /// <summary>Whether the node says the same of a place that others have shown; null if it cannot say.</summary>
    /// <param name="place">With its hash.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<bool?> ConfirmsAsync(ChainPlace place, CancellationToken cancellation)
    {
        try
        {
            return await chain.BlockAsync(place.Number, cancellation) is { } there
                ? there.Hash == place.Hash && await RecordAsync(place.Number, cancellation) == place.Record : null;
        }
        catch (ChainFaultException)
        {
            return null;
        }
    }

    private async Task<EventRecord> RecordAsync(ulong block, CancellationToken cancellation) =>
        CairnContract.ReadRecord(await chain.ReadAsync(following.Contract, CairnContract.RunQuestion(following.Run), AnswerMax, block, cancellation)) ?? default;

    // Events are missing: this node hides them now, or others have hidden some before.
    private async Task<ChainSight> WhoIsWrongAsync(ChainPlace final, EventRecord said, EventRecord seen, CancellationToken cancellation) =>
        !final.Hash.IsZero && await RecordAsync(final.Number, cancellation) != final.Record ? new ChainSight(SightKind.Denies)
            : throw new ChainFaultException(
                ChainFaultKind.BadAnswer, $"it shows {seen.Said} events of the run and says that there are {said.Said}: it hides some, or tells others than there are");

    // The highest place that still stands, or null if even the final one does not.
    private async Task<ChainPlace?> FindKeptAsync(ChainPlace final, IReadOnlyList<ChainPlace> places, ChainBlock head, CancellationToken cancellation)
    {
        for (var i = places.Count - 1; i >= 0; i--)
        {
            if (places[i].Number <= head.Number && await StandsAsync(places[i], head, cancellation))
            {
                return places[i];
            }
        }

        return final.Hash.IsZero || await StandsAsync(final, head, cancellation) ? final : null;
    }

    private async Task<bool> StandsAsync(ChainPlace place, ChainBlock head, CancellationToken cancellation)
    {
        var there = place.Number == head.Number ? head : await chain.BlockAsync(place.Number, cancellation);
        return there is { } block ? block.Hash == place.Hash : throw ChainJson.Bad("no block below its newest");
    }

    // Null if the events are not all of one history, or do not go on where the others ended.
    private static List<ChainPlace>? PlacesOf(ChainPlace kept, List<ChainLog> logs, ChainBlock head)
    {
        var (places, record) = (new List<ChainPlace>(), kept.Record);
        for (var i = 0; i < logs.Count; i++)
        {
            var other = i > 0 && logs[i - 1].Block == logs[i].Block ? logs[i - 1].BlockHash : logs[i].Block == head.Number ? head.Hash : logs[i].BlockHash;
            if (logs[i].BlockHash != other)
            {
                return null;
            }

            // One that is not the next leaves the record short of what the contract says.
            record.TryTake(logs[i], out record);
            if (i + 1 == logs.Count || logs[i + 1].Block != logs[i].Block)
            {
                places.Add(new ChainPlace(logs[i].Block, logs[i].BlockHash, record));
            }
        }

        if (places.Count == 0 || places[^1].Number < head.Number)
        {
            places.Add(new ChainPlace(head.Number, head.Hash, record));
        }

        return places;
    }
}
