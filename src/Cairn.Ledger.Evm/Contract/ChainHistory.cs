using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>A whole run from what the chain holds up to a block, and from nothing else: its genesis, its ledger, whose account is whose, what was settled.</summary>
public sealed class ChainHistory
{
    private const int Attempts = 3;

    private ChainHistory(Genesis genesis, ChainTerms terms, ulong end)
    {
        (Terms, Place) = (terms, new ChainPlace(end, Digest.Zero));
        Replay = new ChainReplay(genesis, []);
        Book = new AccountBook(genesis.Digest);
    }

    /// <summary>What of the chain goes with the genesis.</summary>
    public ChainTerms Terms { get; }

    /// <summary>The last block that was read.</summary>
    public ulong End => Place.Number;

    /// <summary>That block, and all that was said of the run up to there: what another node of the chain must say as well.</summary>
    public ChainPlace Place { get; private set; }

    /// <summary>The ledger.</summary>
    public ChainReplay Replay { get; }

    /// <summary>Whose account is whose.</summary>
    public AccountBook Book { get; }

    /// <summary>All settlements in order, those that were taken back later too.</summary>
    public IReadOnlyList<ChainSettlement> Settlements { get; private set; } = [];

    /// <summary>What everybody has earned and lost.</summary>
    public PayoutTree Payouts() => PayoutTree.Of(Replay.State, Book, Terms.WeiPerUnit);

    /// <summary>Reads a run.</summary>
    /// <param name="chain">The chain's nodes.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="run">Digest of its genesis.</param>
    /// <param name="end">The last block to read: a final one.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <param name="only">The node to read it through; null for the first that answers properly.</param>
    /// <exception cref="InputException">The contract knows no such run.</exception>
    /// <exception cref="ChainFaultException">No node answers properly.</exception>
    public static async Task<ChainHistory> ReadAsync(
        ChainClient chain, EvmAddress contract, Digest run, ulong end, CancellationToken cancellation, int? only = null)
    {
        var created = await EvmLedger.CreatedAsync(chain, contract, run, cancellation);
        if (created > end)
        {
            throw new InputException($"run {run.Short} was created in block {created}, which is not final yet: wait a moment.");
        }

        ChainFaultException? trouble = null;
        for (var attempt = 0; attempt < Attempts * (only is null ? chain.Endpoints.Count : 1); attempt++)
        {
            try
            {
                var node = chain.At(only ?? (attempt % chain.Endpoints.Count));
                var history = Read(await WholeAsync(node, new ChainFollowing(contract, run, 0), created, cancellation), end);
                var last = await node.BlockAsync(end, cancellation) ?? throw ChainJson.Bad("no block below its newest");
                history.Place = history.Place with { Hash = last.Hash };
                return history;
            }
            catch (ChainFaultException fault)
            {
                trouble = fault;
            }
        }

        throw trouble!;
    }

    /// <summary>Whether a node of the chain says the same of <see cref="Place"/>; null if it cannot say.</summary>
    /// <param name="node">The node (<see cref="ChainClient.At"/>).</param>
    /// <param name="contract">The contract.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<bool?> IsConfirmedAsync(ChainClient node, EvmAddress contract, CancellationToken cancellation) =>
        new ChainLook(node, new ChainFollowing(contract, Replay.State.Run, 0)).ConfirmsAsync(Place, cancellation);

    // Up to the newest block, since only there every node knows how much was said: one that hides something is found out.
    private static async Task<IReadOnlyList<ChainLog>> WholeAsync(ChainClient node, ChainFollowing following, ulong created, CancellationToken cancellation)
    {
        var sight = await new ChainLook(node, following).LookAsync(new ChainPlace(created - 1, Digest.Zero), [], believeShorter: true, cancellation);
        return sight.Kind == SightKind.Seen ? sight.New!
            : throw new ChainFaultException(ChainFaultKind.Unreachable, "the chain moved while it was read: try again");
    }

    private static ChainHistory Read(IReadOnlyList<ChainLog> logs, ulong end)
    {
        var history = Begin(logs, end);
        ChainLog[] final = [.. logs.TakeWhile(log => log.Block <= end)];
        history.Replay.Take(new ChainStep(0, final, default));
        var settlements = new List<ChainSettlement>();
        foreach (var log in final)
        {
            history.Book.Take(log);
            if (CairnMoney.TryReadSettled(log, out var settlement))
            {
                settlements.Add(settlement);
            }
        }

        history.Settlements = settlements;
        history.Place = history.Place with { Record = default(EventRecord).After(final) };
        return history;
    }

    private static ChainHistory Begin(IReadOnlyList<ChainLog> logs, ulong end) =>
        logs.Count > 0 && CairnContract.TryReadCreated(logs[0], out var genesis, out var terms) ? new ChainHistory(genesis!, terms, end)
            : throw ChainJson.Bad("a run without its genesis");
}
