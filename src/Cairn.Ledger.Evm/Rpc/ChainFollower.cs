using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>A place in a chain's history: everything up to a block.</summary>
/// <param name="Number">Height of the block.</param>
/// <param name="Hash">Which block of that height.</param>
public readonly record struct ChainPlace(ulong Number, Digest Hash);

/// <summary>What a look at the chain brought.</summary>
/// <param name="KeptUpTo">Height up to which what was seen before still stands: what came after it is taken back.</param>
/// <param name="New">What stands there now, in order.</param>
/// <param name="Final">Everything up to here is as deep as the follower asks, and is never taken back.</param>
public sealed record ChainStep(ulong KeptUpTo, IReadOnlyList<ChainLog> New, ChainPlace Final);

/// <summary>Follows what a contract says about one run: sees a reorganisation of the chain and says what is taken back, and goes on from any final place.</summary>
public sealed class ChainFollower
{
    private const ulong PieceBlocks = 2000;
    private readonly ChainClient _chain;
    private readonly EvmAddress _contract;
    private readonly Digest _topic;
    private readonly ulong _confirmations;

    // Places above the final one, in order: blocks with events, and the newest block of each look. One that still stands vouches for all below it.
    private readonly List<ChainPlace> _places = [];
    private ChainPlace _final;

    /// <summary>Begins after a place.</summary>
    /// <param name="chain">Whom to ask.</param>
    /// <param name="contract">Who speaks.</param>
    /// <param name="topic">About what.</param>
    /// <param name="confirmations">Blocks that must stand on one before it is final.</param>
    /// <param name="after">Where a follower ended before, or a block before the first event; with the hash zero, whatever stands there is taken.</param>
    public ChainFollower(ChainClient chain, EvmAddress contract, Digest topic, ulong confirmations, ChainPlace after)
    {
        (_chain, _contract, _topic, _confirmations, _final) = (chain, contract, topic, confirmations, after);
    }

    /// <summary>Looks at the chain.</summary>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>What changed; null if nothing can be said now, because the chain moved meanwhile.</returns>
    /// <exception cref="ChainFaultException">No node answers properly.</exception>
    /// <exception cref="InputException">What was final is gone: the chain was reorganised deeper than this follower was told to expect.</exception>
    public async Task<ChainStep?> LookAsync(CancellationToken cancellation)
    {
        var head = await _chain.BlockAsync(null, cancellation) ?? throw ChainJson.Bad("no newest block");
        var kept = await FindKeptAsync(head, cancellation);
        if (kept is not { } from)
        {
            return null;
        }

        var logs = new List<ChainLog>();
        for (var first = from + 1; first <= head.Number; first += PieceBlocks)
        {
            logs.AddRange(await _chain.LogsAsync(_contract, _topic, first, Math.Min(head.Number, first + PieceBlocks - 1), cancellation));
        }

        // Asked in several questions: they belong together only if the newest block is still the same.
        if ((await _chain.BlockAsync(head.Number, cancellation))?.Hash != head.Hash || !AreOfOneHistory(logs, head))
        {
            return null;
        }

        _places.RemoveAll(place => place.Number > from);
        foreach (var log in logs)
        {
            Remember(new ChainPlace(log.Block, log.BlockHash));
        }

        Remember(new ChainPlace(head.Number, head.Hash));
        Finalise(head);
        return new ChainStep(from, logs, _final);
    }

    // The highest place that still stands, or null if the nodes cannot say: one of them may be behind.
    private async Task<ulong?> FindKeptAsync(ChainBlock head, CancellationToken cancellation)
    {
        for (var i = _places.Count - 1; i >= 0; i--)
        {
            if (await StandsAsync(_places[i], head, cancellation) == true)
            {
                return _places[i].Number;
            }
        }

        if (head.Number < _final.Number)
        {
            return null;
        }

        var stands = _final.Hash.IsZero ? true : await StandsAsync(_final, head, cancellation);
        return stands == false ? throw Gone() : stands == true ? _final.Number : null;
    }

    private async Task<bool?> StandsAsync(ChainPlace place, ChainBlock head, CancellationToken cancellation)
    {
        if (place.Number >= head.Number)
        {
            return place.Number == head.Number ? place.Hash == head.Hash : null;
        }

        return await _chain.BlockAsync(place.Number, cancellation) is { } now ? now.Hash == place.Hash : null;
    }

    private static bool AreOfOneHistory(List<ChainLog> logs, ChainBlock head)
    {
        for (var i = 0; i < logs.Count; i++)
        {
            var other = i > 0 && logs[i - 1].Block == logs[i].Block ? logs[i - 1].BlockHash : logs[i].Block == head.Number ? head.Hash : logs[i].BlockHash;
            if (logs[i].BlockHash != other)
            {
                return false;
            }
        }

        return true;
    }

    private void Remember(ChainPlace place)
    {
        if (_places.Count == 0 || _places[^1].Number < place.Number)
        {
            _places.Add(place);
        }
    }

    private void Finalise(ChainBlock head)
    {
        var depth = _places.FindLastIndex(place => place.Number + _confirmations <= head.Number);
        if (depth >= 0)
        {
            _final = _places[depth];
            _places.RemoveRange(0, depth + 1);
        }
    }

    private InputException Gone() => new(
        $"the chain's block {_final.Number} is not the one that this node has built on: it was reorganised by more than {_confirmations} blocks, or is another chain. " +
        "Ask the run's other members which chain they follow before you go on.");
}
